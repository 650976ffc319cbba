"""``RowGuidance`` in diffusers' modular pipelines, against diffusers' own guider, loops and the engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ModularPipeline, StableDiffusionXLPipeline
from diffusers.guiders.classifier_free_guidance import ClassifierFreeGuidance
from peft import LoraConfig, get_peft_model_state_dict

from studio.engine import Engine
from studio.errors import BadPreset, IncompatibleModels, StudioError
from studio.events import Done
from studio.integrations.diffusers import RowGuidance
from studio.library import Library
from studio.preset import validate
from tests.support import tiny_modular, tiny_sdxl

SIGNED = [
    {"prompt": "a cat", "weight": 3.0},
    {"prompt": "fog", "weight": -1.5},
    {"prompt": "red", "weight": 2.0},
]
LATENT = {
    "qwen": (tiny_modular.qwen, {"max_sequence_length": 512}),  # its template is long
    "flux2": (tiny_modular.flux2, {"max_sequence_length": 24}),
}


def arguments(**more: Any) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(3)
    return {"num_inference_steps": 3, "generator": generator, "height": 32, "width": 48, **more}


def guider(rows: list[dict[str, Any]], **fields: Any) -> RowGuidance:
    return RowGuidance.from_preset({"base": "none/such", "rows": rows, **fields})


@pytest.mark.parametrize("name", LATENT)
def test_one_row_is_classifier_free_guidance(name: str) -> None:
    make, more = LATENT[name]
    pipe = make()
    pipe.update_components(guider=ClassifierFreeGuidance(guidance_scale=3.0))
    wanted = pipe(prompt="a cat", **arguments(output="latents", **more))
    made = guider(SIGNED[:1]).run(pipe, **arguments(output="latents", **more))
    plain = guider([]).run(pipe, **arguments(output="latents", **more))
    assert torch.allclose(made, wanted, atol=1e-5) and (plain - wanted).abs().mean() > 0.01
    assert isinstance(pipe.guider, ClassifierFreeGuidance)  # the person's own is back


def reading(pipe: Any, more: dict[str, Any]) -> Callable[[str], dict[str, Any]]:
    """What the pipeline's own guider is given for a prompt."""

    class Listener(ClassifierFreeGuidance):
        def prepare_inputs(self, data: Any) -> Any:
            heard.append({k: v[0] if isinstance(v, tuple) else v for k, v in data.items()})
            return super().prepare_inputs(data)

    heard: list[dict[str, Any]] = []

    def read(prompt: str) -> dict[str, Any]:
        pipe.update_components(guider=Listener(guidance_scale=2.0))
        pipe(prompt=prompt, **arguments(**more))
        return heard[-1]

    return read


@torch.no_grad()
def loop(name: str, pipe: Any, rows: list[dict[str, Any]], more: dict[str, Any]) -> torch.Tensor:
    """Algorithm 1 of GCFG over the transformer itself, a forward for each row and one for ∅."""
    read = reading(pipe, more)
    texts = {prompt: read(prompt) for prompt in ["", *(row["prompt"] for row in rows)]}
    start = arguments(**more)
    shape = (1, 6, 16)
    noise = torch.randn((1, 1, 4, 4, 6), generator=start["generator"])
    if name == "qwen":  # patches of 2×2 of four channels
        z = noise[:, 0].reshape(1, 4, 2, 2, 3, 2).permute(0, 2, 4, 1, 3, 5).reshape(shape)
    else:  # drawn as patches
        noise = torch.randn((1, 16, 2, 3), generator=torch.Generator().manual_seed(3))
        z = noise.reshape(1, 16, 6).permute(0, 2, 1)
    pipe.update_components(guider=ClassifierFreeGuidance(guidance_scale=2.0))
    taken: list[torch.Tensor] = []
    step = pipe.scheduler.step

    def note(output: Any, t: torch.Tensor, latents: torch.Tensor, **kwargs: Any) -> Any:
        taken.append(t)
        return step(output, t, latents, **kwargs)

    pipe.scheduler.step = note
    pipe(prompt="", **arguments(**more))
    del pipe.scheduler.step
    sigmas = pipe.scheduler.sigmas.clone()
    for index, t in enumerate(taken):
        call: dict[str, Any] = {"timestep": t.expand(1) / 1000, "return_dict": False}
        if name == "qwen":
            call |= {"img_shapes": [[(1, 2, 3)]]}
        else:
            ids = [[0, y, x, 0] for y in range(2) for x in range(3)]
            call |= {"img_ids": torch.tensor([ids]), "guidance": None}
        eps = {p: pipe.transformer(hidden_states=z, **call, **text)[0] for p, text in texts.items()}
        guided = eps[""] + sum(row["weight"] * (eps[row["prompt"]] - eps[""]) for row in rows)
        if name == "qwen":  # its own rescaling, towards the rows of positive weight
            positive = [row for row in rows if row["weight"] > 0]
            reference = eps[""] + sum(eps[row["prompt"]] - eps[""] for row in positive)
            guided = (
                guided * reference.norm(dim=-1, keepdim=True) / guided.norm(dim=-1, keepdim=True)
            )
        z = z + (sigmas[index + 1] - sigmas[index]) * guided
    return z


@pytest.mark.parametrize("name", LATENT)
def test_signed_rows_are_the_loop(name: str) -> None:
    make, more = LATENT[name]
    pipe = make()
    wanted = loop(name, pipe, SIGNED, more)
    made = guider(SIGNED).run(pipe, **arguments(output="latents", **more))
    made = made.reshape(1, -1, 6) if name == "flux2" else made.reshape(1, 4, 2, 2, 3, 2)
    packed = (
        made.permute(0, 2, 1)
        if name == "flux2"
        else made.permute(0, 2, 4, 1, 3, 5).reshape(1, 6, 16)
    )
    assert torch.allclose(packed, wanted, atol=1e-4), (packed - wanted).abs().max()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny_sdxl.pipeline(folder / "xl")
    ink(folder / "xl/style", pipe.unet)
    return folder


def ink(folder: Path, network: Any) -> None:
    """A random LoRA on the attentions, under peft's names alone."""
    torch.manual_seed(1)
    network.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"]))
    for name, parameter in network.named_parameters():
        if "lora_" in name:
            parameter.data = torch.randn_like(parameter) * 0.3
    layers = get_peft_model_state_dict(network)
    StableDiffusionXLPipeline.save_lora_weights(folder, unet_lora_layers=layers)


@pytest.fixture(scope="module")
def xl(root: Path) -> Any:
    pipe: Any = ModularPipeline.from_pretrained(str(root / "xl"))
    pipe.load_components(["unet", "vae", "text_encoder", "text_encoder_2", "tokenizer"])
    pipe.load_components(["tokenizer_2", "scheduler"])
    pipe.load_lora_weights(str(root / "xl/style"), adapter_name="ink")
    pipe.unet.disable_adapters()
    pipe.set_progress_bar_config(disable=True)
    return pipe


XL: dict[str, dict[str, Any]] = {
    "signed rows": {"rows": SIGNED},
    "rows in time": {
        "rows": [
            {"prompt": "a cat", "weight": 3.0, "curve": "linear_down"},
            {"prompt": "fog", "weight": -2.0, "range": [0.0, 0.5]},
        ]
    },
    "parts": {"rows": [{"prompt": "a AND cat:0.5", "weight": 3.0}], "decoupling": 0.5},
    "masks": {
        "rows": [
            {"prompt": "a cat", "weight": 3.0},
            {"prompt": "red", "weight": 4.0, "mask": "assets/examples/mask-left.png"},
        ]
    },
    "a LoRA": {
        "rows": [
            {"prompt": "a cat", "weight": 3.0, "model": {"lora": "xl/style", "strength": 0.8}},
            {"prompt": "fog", "weight": 1.5},
        ]
    },
    "a LoRA with omega": {
        "rows": [{"prompt": "a cat", "weight": 3.0, "model": {"lora": "xl/style"}}],
        "omega": 0.4,
    },
}


@pytest.mark.parametrize("name", XL)
def test_sdxl_makes_the_engines_picture(
    name: str, root: Path, xl: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library((root,))
    sampler = {"scheduler": "ddim", "steps": 3, "seed": 3, "width": 16, "height": 16}
    preset = validate({"base": "xl", **XL[name], "sampler": sampler})
    engine = Engine(device="cpu", library=library, exact=True)
    (wanted,) = [e.image for e in engine.generate(preset) if isinstance(e, Done)]
    rows = RowGuidance.from_preset(preset, {"xl/style": "ink"})
    made = rows.run(xl, **arguments(height=16, width=16, output="images"))[0]
    difference = np.asarray(made).astype(int) - np.asarray(wanted)
    assert np.abs(difference).max() <= 1 and np.mean(difference != 0) < 0.01


def test_saved_and_loaded_as_guiders_are(tmp_path: Path) -> None:
    make, more = LATENT["flux2"]
    pipe, rows = make(), guider(SIGNED, decoupling=0.5)
    rows.save_pretrained(tmp_path)
    again = RowGuidance.from_pretrained(tmp_path)
    assert (
        again.config["preset"]
        == rows.config["preset"]
        == json.loads(json.dumps(rows.config))["preset"]
    )
    made = [one.run(pipe, **arguments(output="latents", **more)) for one in (rows, again)]
    assert torch.equal(*made)
    assert type(rows.new()) is RowGuidance


def test_the_network_does_not_run_to_read() -> None:
    make, more = LATENT["qwen"]
    pipe, rows = make(), guider(SIGNED)
    calls: list[int] = []
    pipe.transformer.register_forward_hook(lambda *_: calls.append(1))
    rows.read(pipe, **arguments(**more))
    assert not calls
    pipe.update_components(guider=rows)
    pipe(prompt="a cat", **arguments(output="latents", **more))
    assert len(calls) == 3 * 4  # three rows and ∅


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"rows": [{"prompt": "x", "weight": "much"}]}, "rows.0.weight"),
        ({"rows": [{"prompt": "x"}], "cfgpp": True, "sampler": {"scheduler": "ddim"}}, "cfgpp"),
        ({"rows": [{"prompt": "x"}], "init": {"image": "assets/examples/cat.png"}}, "init"),
        ({"rows": [{"prompt": "x"}], "sampler": {"tiles": True}}, "sampler.tiles"),
        ({"rows": [{"prompt": "x"}], "second_pass": {"scale": 2.0}}, "second_pass.scale"),
        ({"rows": [{"prompt": "x"}], "freeu": {"on": True}}, "freeu.on"),
        ({"rows": [{"prompt": "x"}], "clip_skip": 2}, "clip_skip"),
        ({"rows": [{"prompt": "x"}], "distilled_guidance": 0.0}, "distilled_guidance"),
        ({"base": "starter", "rows": [{"model": "starter/faces"}]}, "rows.0.model"),
        (
            {
                "base": "starter",
                "rows": [{"control": {"type": "canny", "image": "assets/examples/cat.png"}}],
            },
            "rows.0.control",
        ),
    ],
)
def test_what_a_guider_cannot_run_is_refused_by_name(fields: dict[str, Any], field: str) -> None:
    with pytest.raises((BadPreset, IncompatibleModels)) as caught:
        RowGuidance.from_preset({"base": "none/such", **fields})
    assert caught.value.field == field


def test_a_lora_that_is_not_loaded_is_named(xl: Any) -> None:
    row = {"prompt": "x", "model": {"lora": "own/pen"}}
    rows = RowGuidance.from_preset({"base": "own/base", "rows": [row]}, {"own/pen": "pen"})
    with pytest.raises(IncompatibleModels, match="'pen' is not loaded") as caught:
        rows.run(xl, **arguments(height=16, width=16, output="images"))
    assert caught.value.field == "rows.0.model"


def test_a_masked_row_leaves_the_rest_of_packed_latents() -> None:
    make, more = LATENT["flux2"]
    pipe = make()
    masked = {**SIGNED[1], "mask": "assets/examples/mask-left.png"}
    given = {**more, "output": "latents", "num_inference_steps": 1, "width": 64, "height": 64}
    without, with_it = (
        guider(rows).run(pipe, **arguments(**given)) for rows in (SIGNED[:1], [SIGNED[0], masked])
    )
    assert with_it.shape == (1, 16, 4, 4)
    assert torch.allclose(with_it[..., 3:], without[..., 3:], atol=1e-6)
    assert not torch.allclose(with_it[..., :2], without[..., :2], atol=1e-2)


def test_a_mask_has_the_pictures_aspect() -> None:
    make, more = LATENT["flux2"]
    rows = guider([{"prompt": "x", "mask": "assets/examples/mask-left.png"}])
    with pytest.raises(BadPreset, match="aspect of the picture, 48x32"):
        rows.read(make(), **arguments(**more))


def test_prompts_have_to_be_read_first() -> None:
    make, more = LATENT["flux2"]
    pipe = make()
    pipe.update_components(guider=guider(SIGNED))
    with pytest.raises(StudioError, match="has read no prompts yet"):
        pipe(prompt="a cat", **arguments(**more))
