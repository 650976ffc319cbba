"""IP-Adapter image prompts: one row sees the picture, the others do not; diffusers as the oracle."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from studio.engine import Engine
from studio.engine.inputs.memory_check import needs_of
from studio.errors import StudioError
from studio.events import Done
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support import tiny
from tests.support.tiny_image_prompts import adapter_state, plus_state

WEIGHT, STRENGTH = 4.0, 0.6


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "base")
    torch.manual_seed(3)
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=12,
            intermediate_size=16,
            projection_dim=10,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=16,
            patch_size=8,
        )
    ).save_pretrained(folder / "ip/image_encoder")
    save_file(adapter_state(pipe.unet, 10, 0), folder / "ip/light.safetensors")
    save_file(plus_state(pipe.unet, 12, 5), folder / "ip/plus.safetensors")
    (folder / "alone").mkdir()
    save_file(adapter_state(pipe.unet, 10, 0), folder / "alone/light.safetensors")
    for name, seed in (("red", 1), ("blue", 2)):
        pixels = np.random.default_rng(seed).integers(0, 255, (20, 24, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


def row(picture: str, **more: object) -> dict:
    prompt = {"image": f"{picture}.png", "model": "ip/light", "strength": STRENGTH}
    return {"prompt": "a cat", "weight": WEIGHT, "image_prompt": prompt, **more}


def make(root: Path, exact: bool = True, **fields: object) -> list[np.ndarray]:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=exact)
    fields.setdefault("sampler", {"steps": 3, "scheduler": "ddim", "seed": 3})
    preset = validate({"base": "base", **fields})
    return [np.asarray(e.image).astype(int) for e in engine.generate(preset) if isinstance(e, Done)]


def _seeing(root: Path, strength: float, name: str = "light") -> StableDiffusionPipeline:
    """diffusers' pipeline with the IP-Adapter on its network."""
    pipe = StableDiffusionPipeline.from_pretrained(
        root / "base",
        safety_checker=None,
        image_encoder=CLIPVisionModelWithProjection.from_pretrained(root / "ip/image_encoder"),
        feature_extractor=CLIPImageProcessor(
            size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}
        ),
    )
    state = load_file(root / f"ip/{name}.safetensors")
    parts = {
        part: {k.removeprefix(f"{part}."): v for k, v in state.items() if k.startswith(part)}
        for part in ("image_proj", "ip_adapter")
    }
    pipe.unet._load_ip_adapter_weights([parts], low_cpu_mem_usage=False)
    pipe.set_ip_adapter_scale(strength)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def theirs(root: Path, picture: str, negative: str = "", name: str = "light") -> np.ndarray:
    """diffusers' own run with ``ip_adapter_image`` at guidance scale ``WEIGHT``."""
    pipe = _seeing(root, STRENGTH, name)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    image = pipe(
        "a cat",
        negative_prompt=negative,
        ip_adapter_image=Image.open(root / f"{picture}.png").convert("RGB"),
        guidance_scale=WEIGHT,
        num_inference_steps=3,
        latents=torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3)),
        output_type="pil",
    ).images[0]
    return np.asarray(image).astype(int)


@torch.no_grad()
def by_hand(root: Path, rows: list[tuple[str, float, float]]) -> np.ndarray:
    """``ε(∅, blank) + Σ w·(ε(cat, picture) − ε(∅, blank))`` for rows (picture, weight, strength).

    The blank's strength is the mean of the positive rows' by their weights; a row without a picture
    is the plain network's.
    """
    positive = [(w, s) for name, w, s in rows if w > 0 and name]
    total = sum(w for w, _ in positive)
    blank = sum(w * s for w, s in positive) / total if total else 0.0
    pipe = StableDiffusionPipeline.from_pretrained(root / "base", safety_checker=None)
    seeing = {s: _seeing(root, s) for s in {blank, *(s for _, _, s in rows)}}
    null, cat = (pipe.encode_prompt(p, "cpu", 1, False)[0] for p in ("", "a cat"))
    scheduler = pipe.scheduler
    scheduler.set_timesteps(3)

    def embeds(name: str, strength: float) -> dict:
        one = seeing[strength]
        seen = one.encode_image(Image.open(root / f"{name or 'red'}.png").convert("RGB"), "cpu", 1)
        return {"image_embeds": [(seen[0] if name else seen[1])[:, None]]}

    z = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(3))
    for t in scheduler.timesteps:
        free = seeing[blank].unet(z, t, null, added_cond_kwargs=embeds("", blank)).sample
        total_ = free.clone()
        for name, weight, strength in rows:
            if name:
                shown = (
                    seeing[strength]
                    .unet(z, t, cat, added_cond_kwargs=embeds(name, strength))
                    .sample
                )
            else:
                shown = pipe.unet(z, t, cat).sample
            total_ += weight * (shown - free)
        z = scheduler.step(total_, t, z).prev_sample
    image = pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample[0]
    return ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()


def test_an_adapter_plus_reads_all_patches(root: Path) -> None:
    seen = row("red")
    seen["image_prompt"]["model"] = "ip/plus"
    ours = make(root, rows=[seen])[0]
    assert np.abs(ours - theirs(root, "red", name="plus")).max() <= 1
    assert np.abs(ours - make(root, rows=[row("red")])[0]).max() > 1


def test_one_for_detected_faces_is_listed_with_its_reason(root: Path, tmp_path: Path) -> None:
    """FaceID reads a face detector's embedding through ``proj.0`` and ``proj.2``, with LoRAs."""
    state = {
        k: v for k, v in load_file(root / "ip/light.safetensors").items() if "image_proj" not in k
    }
    state |= {f"image_proj.proj.{n}.weight": torch.ones(4, 4) for n in (0, 2)}
    save_file(state, tmp_path / "face.safetensors")
    (entry,) = Library((tmp_path,)).refused()
    assert entry.kind == "ip-adapter" and "FaceID" in entry.problem


@pytest.mark.parametrize("exact", [True, False])
def test_a_row_sees_its_picture(root: Path, exact: bool) -> None:
    ours = make(root, exact, rows=[row("red")])[0]
    assert np.abs(ours - theirs(root, "red")).max() <= 1
    assert np.abs(ours - by_hand(root, [("red", WEIGHT, STRENGTH)])).max() <= 1
    blind = make(root, rows=[row("red", image_prompt=None)])[0]
    assert np.abs(ours - blind).max() > 1


def test_two_rows_see_two_pictures_in_one_batch(root: Path) -> None:
    rows = [row("red"), row("blue", weight=-2.0)]
    batch = make(
        root,
        exact=False,
        rows=rows,
        sampler={"steps": 3, "scheduler": "ddim", "seed": 3, "count": 2},
    )
    assert len(batch) == 2
    assert (
        np.abs(
            batch[0] - by_hand(root, [("red", WEIGHT, STRENGTH), ("blue", -2.0, STRENGTH)])
        ).max()
        <= 1
    )


def test_a_negative_prompt_beside_a_picture_is_diffusers(root: Path) -> None:
    """The negative pass sees no picture, as the adapter knows it."""
    blank = {"model": "ip/light", "blank": True, "strength": STRENGTH}
    negative = {"prompt": "dog", "weight": 1.0 - WEIGHT, "image_prompt": blank}
    found = make(root, rows=[row("red"), negative])[0]
    assert np.abs(found - theirs(root, "red", "dog")).max() <= 1
    plain = make(root, rows=[row("red"), {**negative, "image_prompt": None}])[0]
    assert np.abs(found - plain).max() > 1


def test_rows_of_different_strengths_and_one_without_a_picture(root: Path) -> None:
    weaker = row("blue", weight=2.0)
    weaker["image_prompt"] = {**weaker["image_prompt"], "strength": 0.2}
    rows = [row("red"), weaker, {"prompt": "a cat", "weight": 1.5}]
    expected = by_hand(root, [("red", WEIGHT, STRENGTH), ("blue", 2.0, 0.2), ("", 1.5, 0.0)])
    for exact in (True, False):
        assert np.abs(make(root, exact, rows=rows)[0] - expected).max() <= 1


def test_outside_its_mask_an_image_prompt_changes_nothing(root: Path) -> None:
    """One step: the far side is the run without the row, its base term too."""
    mask = np.zeros((16, 16), np.uint8)
    mask[:, :8] = 255
    Image.fromarray(mask).save(root / "left.png")
    others = {"prompt": "a dog", "weight": 3.0}
    sampler = {"steps": 1, "scheduler": "ddim", "seed": 3}
    _, two, none = (
        _latents(root, rows, sampler)
        for rows in ([], [others, row("red", mask="left.png")], [others])
    )
    assert torch.allclose(two[..., 4:], none[..., 4:], atol=1e-5)
    assert (two[..., :4] - none[..., :4]).abs().max() > 1e-3


def _latents(root: Path, rows: list[dict], sampler: dict) -> torch.Tensor:
    from studio.engine import decoding

    kept: list[torch.Tensor] = []
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    with pytest.MonkeyPatch.context() as patch:
        whole = decoding.decode
        patch.setattr(
            "studio.engine.engine.decode",
            lambda family, vae, z, *a: (kept.append(z), whole(family, vae, z, *a))[1],
        )
        rows = rows or [{"prompt": "a", "weight": 0.0}]
        list(engine.generate(validate({"base": "base", "rows": rows, "sampler": sampler})))
    return kept[0]


def test_nothing_stays_behind(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    preset = validate({"base": "base", "rows": [row("red")], "sampler": {"steps": 2}})
    list(engine.generate(preset))
    from studio.plan import Weights

    network = engine.loader.network(Weights("base"))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"model": "base"}, "rows.0.image_prompt.model", "is a base, not an ip-adapter"),
        ({"model": "nothing"}, "rows.0.image_prompt.model", "not in the library"),
        ({"image": "absent.png"}, "rows.0.image_prompt.image", "no image"),
        ({"model": "alone/light"}, "rows.0.image_prompt.model", "needs its image encoder"),
    ],
)
def test_what_is_refused(root: Path, change: dict, field: str, told: str) -> None:
    given = row("red")
    given["image_prompt"] = {**given["image_prompt"], **change}
    with pytest.raises(StudioError, match=told) as caught:
        make(root, rows=[given])
    assert caught.value.field == field


def test_of_another_architecture(root: Path, tmp_path: Path) -> None:
    state = adapter_state(tiny.unet(), 10, 0)
    state.pop("ip_adapter.3.to_k_ip.weight")
    save_file(state, tmp_path / "cut.safetensors")
    library = Library((root, tmp_path))
    assert library["cut"].kind == "ip-adapter"
    engine = Engine(device="cpu", library=library, image_roots=[root])
    given = row("red")
    given["image_prompt"]["model"] = "cut"
    with pytest.raises(StudioError, match="of another architecture") as caught:
        list(engine.generate(validate({"base": "base", "rows": [given]})))
    assert caught.value.field == "rows.0.image_prompt.model"


def test_an_image_encoder_without_a_tensor_is_refused_by_name(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "ip", tmp_path / "ip")
    file = tmp_path / "ip/image_encoder/model.safetensors"
    state = load_file(file)
    del state["visual_projection.weight"]
    save_file(state, file, metadata={"format": "pt"})
    shutil.copytree(root / "base", tmp_path / "base")
    engine = Engine(device="cpu", library=Library((tmp_path,)), image_roots=[root])
    with pytest.raises(StudioError, match=r"lacks the tensor visual_projection\.weight") as caught:
        list(engine.generate(validate({"base": "base", "rows": [row("red")]})))
    assert caught.value.field == "rows.0.image_prompt.model"


def test_an_image_encoder_is_counted_with_its_adapter(root: Path) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    preset = validate({"base": "base", "rows": [row("red")]})
    plan = compile_plan(preset, engine.library)
    plain = validate({"base": "base", "rows": [{"prompt": "a cat"}]})
    without = needs_of(plain, compile_plan(plain, engine.library), engine.loader).others
    more = needs_of(preset, plan, engine.loader).others - without
    files = ("ip/light.safetensors", "ip/image_encoder/model.safetensors")
    expected = sum(t.numel() * 4 for name in files for t in load_file(root / name).values())
    assert abs(more - expected) <= 64  # its table of positions is of whole numbers
