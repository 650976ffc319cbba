"""What every family of the table does, against diffusers' own pipeline of a tiny random model."""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel
from PIL import Image
from safetensors.torch import save_file

from studio.diffusion import sampling
from studio.diffusion.schedulers import scheduler_for
from studio.engine.families import family_named
from studio.engine.families.pixels import to_images, to_pixels
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.errors import IncompatibleModels
from studio.library import FAMILIES, Library
from studio.plan import Weights, compile_plan
from studio.preset import Sampler, validate
from tests.support import tiny_pictures
from tests.support.tiny_families import BUILDERS
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference

PROMPT, SIZE, SCHEDULER = "a cat", 32, "euler"
Roots = Callable[[str], Path]


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Roots:
    """A library per family: ``base``, a full fine-tune of it, a LoRA, a picture."""
    made: dict[str, Path] = {}

    def root(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            _fill(made[name], name)
        return made[name]

    return root


def _fill(root: Path, name: str) -> None:
    assert name in BUILDERS, f"give {name!r} a tiny pipeline in tests/support/tiny_families.py"
    pipe = BUILDERS[name](root / "base")
    record = FAMILIES[name]
    for folder in (root / "base", root / "tuned"):
        # Whatever the width of a tiny model's text: what the family is stands in its card.
        folder.mkdir(exist_ok=True)
        (folder / "card.json").write_text(json.dumps({"family": name}))
    tuned = copy.deepcopy(getattr(pipe, record.part))
    _jitter(tuned)
    type(pipe)(**{**pipe.components, record.part: tuned}).save_pretrained(root / "tuned")
    generator = torch.Generator().manual_seed(2)
    state = {}
    for layer, module in getattr(pipe, record.part).named_modules():
        if layer.endswith(("attn1.to_q", "attn2.to_k", "attn.to_q", "attn.add_k_proj")):
            out, inner = module.weight.shape
            state[f"{record.part}.{layer}.lora_A.weight"] = torch.randn(
                2, inner, generator=generator
            )
            state[f"{record.part}.{layer}.lora_B.weight"] = torch.randn(out, 2, generator=generator)
    save_file(state, root / "style.safetensors")
    pixels = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    Image.fromarray(pixels).save(root / "picture.png")


def _jitter(network: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(17)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)


def ours(root: Path, row: dict[str, Any] | None = None, **fields: Any) -> np.ndarray:
    row = {"prompt": PROMPT, "weight": SCALE, **(row or {})}
    sampler = {"steps": STEPS, "scheduler": SCHEDULER, "seed": SEED, "width": SIZE, "height": SIZE}
    return tiny_pictures.made(root, {"base": "base", "rows": [row], **fields, "sampler": sampler})


class Loop:
    """The same picture by diffusers' scheduler and the family's networks, one forward each."""

    def __init__(self, root: Path, name: str) -> None:
        library = Library((root,))
        self.family = family_named(name)
        self.loader = Loader(library, Registry(2**30), torch.device("cpu"), torch.float32)
        self.config = self.family.scheduler_config(library["base"])
        self.prior: Any = self.loader.network(Weights("base"))
        text = self.loader.text_encoder("base")
        self.vae: Any = self.loader.vae("base")
        self.told, self.null = (self.family.encode(text, [p]) for p in (PROMPT, ""))

    @torch.no_grad()
    def __call__(
        self, weak: Any, strong: Any, picture: Image.Image | None = None, first: int = 0
    ) -> Any:
        """``ε_weak(φ) + λ·(ε_strong(c) − ε_weak(φ))`` at every step from ``first``."""
        sampler = Sampler(scheduler=SCHEDULER, steps=STEPS, width=SIZE, height=SIZE)
        scheduler = scheduler_for(sampler, self.config)
        generator = torch.Generator().manual_seed(SEED)
        start = None if picture is None else self._encoded(picture, generator)
        channels, edge = self.vae.config.latent_channels, SIZE // 2
        noise = torch.randn((1, channels, edge, edge), generator=generator)
        z = noise * scheduler.init_noise_sigma
        if start is not None:
            z = scheduler.add_noise(start, noise, scheduler.timesteps[first : first + 1])
        for t in scheduler.timesteps[first:]:
            x = scheduler.scale_model_input(z, t)
            free = self.family.predict(weak, x, t, self.null)
            own = self.family.predict(strong, x, t, self.told)
            z = scheduler.step(free + SCALE * (own - free), t, z).prev_sample
        z = z / self.vae.config.scaling_factor + self._shift
        pixels = self.vae.decode(z, return_dict=False)[0]
        return np.asarray(to_images(pixels)[0]).astype(int)

    def _encoded(self, picture: Image.Image, generator: torch.Generator) -> torch.Tensor:
        found = self.vae.encode(to_pixels(picture))
        latent = (
            found.latent_dist.sample(generator) if hasattr(found, "latent_dist") else found.latent
        )
        return (latent - self._shift) * self.vae.config.scaling_factor

    @property
    def _shift(self) -> float:
        return self.vae.config.get("shift_factor") or 0.0


def changed(network: Any, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Any:
    """A copy of ``network`` with other weights."""
    other = copy.deepcopy(network)
    for name, parameter in other.named_parameters():
        parameter.data = change(name, parameter.data)
    return other


@pytest.mark.parametrize("name", FAMILIES)
def test_its_record_is_whole(name: str, roots: Roots) -> None:
    record, entry = FAMILIES[name], Library((roots(name),))["base"]
    assert (entry.kind, entry.family, entry.problem) == ("base", name, "")
    assert record.title and record.text and record.size > 0 and record.guidance >= 1
    assert set(record.predicts) <= {"epsilon", "v_prediction", "flow_prediction"}
    import diffusers

    assert all(hasattr(diffusers, kind) for kind in (*record.pipelines, record.network))


@pytest.mark.parametrize("name", FAMILIES)
def test_one_row_is_diffusers_pipeline(name: str, roots: Roots) -> None:
    import diffusers

    root = roots(name)
    pipe = getattr(diffusers, FAMILIES[name].pipelines[0]).from_pretrained(root / "base")
    config = family_named(name).scheduler_config(Library((root,))["base"])
    if not config.get("own_sigmas"):
        pipe.scheduler = sampling.make_scheduler(SCHEDULER, config)
    taken = inspect.signature(type(pipe).__call__).parameters
    as_asked = {"use_resolution_binning": False} if "use_resolution_binning" in taken else {}
    if "true_cfg_scale" in taken:  # the plain scale is a number that the network reads
        as_asked |= {"guidance_scale": 3.5, "true_cfg_scale": SCALE, "negative_prompt": ""}
    theirs = tiny_pictures.theirs(pipe, PROMPT, SIZE, output_type="pil", **as_asked)
    assert difference(ours(root), theirs) <= 1


@pytest.mark.parametrize("omega", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", FAMILIES)
def test_omega_of_a_full_fine_tune(name: str, omega: float, roots: Roots) -> None:
    loop = Loop(roots(name), name)
    tuned: Any = loop.loader.network(Weights("tuned"))
    theirs = dict(tuned.named_parameters())
    weak = changed(loop.prior, lambda key, value: value + omega * (theirs[key].data - value))
    found = ours(roots(name), {"model": "tuned"}, omega=omega)
    assert difference(found, loop(weak, tuned)) <= 1


@pytest.mark.parametrize("omega", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_lora_is_its_merged_weights(name: str, omega: float, roots: Roots) -> None:
    from safetensors.torch import load_file

    loop = Loop(roots(name), name)
    state, part = load_file(roots(name) / "style.safetensors"), FAMILIES[name].part

    def merged(strength: float) -> Any:
        def change(key: str, value: torch.Tensor) -> torch.Tensor:
            layer = f"{part}.{key.removesuffix('.weight')}"
            if f"{layer}.lora_A.weight" not in state:
                return value
            return value + strength * (
                state[f"{layer}.lora_B.weight"] @ state[f"{layer}.lora_A.weight"]
            )

        return changed(loop.prior, change)

    row = {"model": {"lora": "style", "strength": 0.5}}
    assert (
        difference(ours(roots(name), row, omega=omega), loop(merged(0.5 * omega), merged(0.5))) <= 1
    )


@pytest.mark.parametrize("name", FAMILIES)
def test_it_starts_from_a_picture(name: str, roots: Roots) -> None:
    loop = Loop(roots(name), name)
    picture = Image.open(roots(name) / "picture.png").convert("RGB")
    init = {"image": "picture.png", "strength": 0.67}
    expected = loop(loop.prior, loop.prior, picture, first=STEPS - int(STEPS * 0.67))
    assert difference(ours(roots(name), init=init), expected) <= 1


@pytest.mark.parametrize("name", FAMILIES)
def test_a_control_image_or_a_refusal(name: str, roots: Roots) -> None:
    """A ControlNet as it begins, its last layers zero, changes nothing; another one does."""
    root = roots(name)
    control = {"type": "map", "image": "picture.png", "model": "guide"}
    if not FAMILIES[name].controls:
        preset = validate({"base": "base", "rows": [{"control": control}]})
        with pytest.raises(IncompatibleModels, match="'base' takes no control image") as caught:
            compile_plan(preset, Library((root,)))
        assert caught.value.field == "rows.0.control"
        return
    prior: Any = Loop(root, name).prior
    net = ControlNetModel.from_unet(prior, conditioning_embedding_out_channels=(4, 8))
    net.save_pretrained(root / "guide")
    (root / "guide/card.json").write_text(json.dumps({"family": name}))
    assert difference(ours(root, {"control": control}), ours(root)) <= 1
    _jitter(net)
    net.save_pretrained(root / "guide")
    assert difference(ours(root, {"control": control}), ours(root)) > 1


@pytest.mark.parametrize("name", FAMILIES)
def test_what_it_does_not_take_is_refused_by_name(name: str, roots: Roots) -> None:
    record, root = FAMILIES[name], roots(name)
    save_file({"emb_params": torch.ones(1, 8)}, root / "word.safetensors")
    state = {
        "image_proj.proj.weight": torch.ones(2, 2),
        "ip_adapter.1.to_k_ip.weight": torch.ones(2, 2),
    }
    save_file(state, root / "light.safetensors")
    prompt = {"image": "picture.png", "model": "light"}
    for taken, row, field in (
        (record.learned_words, {"model": {"embeddings": ["word"]}}, "rows.0.model"),
        (record.image_prompts, {"image_prompt": prompt}, "rows.0.image_prompt.model"),
    ):
        preset, library = validate({"base": "base", "rows": [row]}), Library((root,))
        if taken:
            assert compile_plan(preset, library).passes
            continue
        with pytest.raises(IncompatibleModels, match=f"{record.title} takes no") as caught:
            compile_plan(preset, library)
        assert caught.value.field == field
