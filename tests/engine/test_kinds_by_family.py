"""Each family with each kind of row that the other files do not hold, against plain loops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    ControlNetModel,
    SanaPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image
from safetensors.torch import save_file

from studio.diffusion import guidance
from studio.engine import Engine
from studio.errors import IncompatibleModels, StudioError
from studio.events import Done
from studio.library import Library
from studio.preset import validate
from tests.engine.adapters import test_image_prompt
from tests.support import tiny, tiny_sana, tiny_sdxl

SIZE = 32
OMEGA, WEIGHT = 0.4, 4.0


def _jitter(network: torch.nn.Module) -> None:
    generator = torch.Generator().manual_seed(17)
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base and a full fine-tune of each family."""
    folder = tmp_path_factory.mktemp("models")
    tiny.pipeline(folder / "v", prediction="v_prediction")
    tiny_sdxl.pipeline(folder / "xl")
    tiny_sana.pipeline(folder / "sana")
    for name, kind in (
        ("v", StableDiffusionPipeline),
        ("xl", StableDiffusionXLPipeline),
        ("sana", SanaPipeline),
    ):
        pipe = kind.from_pretrained(folder / name)
        _jitter(pipe.transformer if name == "sana" else pipe.unet)
        pipe.save_pretrained(folder / f"{name}-tuned")
    pixels = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "map.png")
    return folder


def make(root: Path, base: str, **fields: object) -> np.ndarray:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=True)
    scheduler = "euler" if base == "sana" else "ddim"
    preset = validate(
        {
            "base": base,
            **fields,
            "sampler": {
                "steps": 3,
                "scheduler": scheduler,
                "seed": 3,
                "width": SIZE,
                "height": SIZE,
            },
        }
    )
    return np.asarray(next(e for e in engine.generate(preset) if isinstance(e, Done)).image).astype(
        int
    )


Predict = Callable[[torch.nn.Module, torch.Tensor, torch.Tensor, Any], torch.Tensor]


def _classic(root: Path, base: str) -> tuple[Any, torch.nn.Module, Any, Any, Predict]:
    pipe = StableDiffusionPipeline.from_pretrained(root / base, safety_checker=None)
    null, told = (pipe.encode_prompt(p, "cpu", 1, False)[0] for p in ("", "a cat"))
    return pipe, pipe.unet, null, told, lambda net, z, t, c: net(z, t, c).sample


def _xl(root: Path, base: str) -> tuple[Any, torch.nn.Module, Any, Any, Predict]:
    pipe = StableDiffusionXLPipeline.from_pretrained(root / base)
    states, null, pooled, null_pooled = pipe.encode_prompt("a cat", device="cpu")
    ids = torch.tensor([[SIZE, SIZE, 0, 0, SIZE, SIZE]]).float()

    def predict(net: torch.nn.Module, z: torch.Tensor, t: torch.Tensor, c: Any) -> torch.Tensor:
        return net(z, t, c[0], added_cond_kwargs={"text_embeds": c[1], "time_ids": ids}).sample

    return pipe, pipe.unet, (null, null_pooled), (states, pooled), predict


def _sana(root: Path, base: str) -> tuple[Any, torch.nn.Module, Any, Any, Predict]:
    import inspect

    pipe = SanaPipeline.from_pretrained(root / base)
    instruction = inspect.signature(SanaPipeline.__call__).parameters["complex_human_instruction"]
    states, mask, null, null_mask = pipe.encode_prompt(
        "a cat", device="cpu", complex_human_instruction=instruction.default
    )

    def predict(net: torch.nn.Module, z: torch.Tensor, t: torch.Tensor, c: Any) -> torch.Tensor:
        return net(
            z, encoder_hidden_states=c[0], encoder_attention_mask=c[1], timestep=t.expand(1)
        ).sample

    return pipe, pipe.transformer, (null, null_mask), (states, mask), predict


@pytest.mark.parametrize(("base", "parts"), [("v", _classic), ("xl", _xl), ("sana", _sana)])
@pytest.mark.parametrize("omega", [0.0, OMEGA, 1.0])
@torch.no_grad()
def test_a_full_fine_tune_with_omega(root: Path, base: str, parts: Callable, omega: float) -> None:
    """``ε_{θ_ω}(φ) + w·(ε_{θ′}(c) − ε_{θ_ω}(φ))`` as two forwards a step."""
    pipe, prior, null, told, predict = parts(root, base)
    tuned = parts(root, f"{base}-tuned")[1]
    weak = type(prior).from_config(prior.config)
    weak.load_state_dict(guidance.lerp_weights(prior.state_dict(), [(tuned.state_dict(), omega)]))
    pipe.scheduler.set_timesteps(3)
    z = torch.randn((1, 4, SIZE // 2, SIZE // 2), generator=torch.Generator().manual_seed(3))
    for t in pipe.scheduler.timesteps:
        free = predict(weak.eval(), z, t, null)
        own = predict(tuned.eval(), z, t, told)
        z = pipe.scheduler.step(free + WEIGHT * (own - free), t, z).prev_sample
    image = pipe.vae.eval().decode(z / pipe.vae.config.scaling_factor).sample[0]
    expected = ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy()
    row = {"prompt": "a cat", "weight": WEIGHT, "model": f"{base}-tuned"}
    assert np.abs(make(root, base, rows=[row], omega=omega) - expected).max() <= 1


def test_a_controlnet_of_xl_is_told_of_size_and_text(root: Path) -> None:
    pipe = StableDiffusionXLPipeline.from_pretrained(root / "xl")
    torch.manual_seed(5)
    net = ControlNetModel.from_unet(pipe.unet, conditioning_embedding_out_channels=(4, 8))
    _jitter(net)
    net.save_pretrained(root / "xl/guide")
    control = StableDiffusionXLControlNetPipeline.from_pretrained(root / "xl", controlnet=net)
    control.set_progress_bar_config(disable=True)
    # Their unconditional pass is controlled too, so a row for it is controlled here as well.
    expected = control(
        "a cat",
        negative_prompt="bad",
        image=Image.open(root / "map.png"),
        guidance_scale=WEIGHT,
        num_inference_steps=3,
        width=SIZE,
        height=SIZE,
        controlnet_conditioning_scale=0.7,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    guide = {"type": "map", "image": "map.png", "strength": 0.7, "model": "xl/guide"}
    rows = [
        {"prompt": "a cat", "weight": WEIGHT, "control": guide},
        {"prompt": "bad", "weight": 1 - WEIGHT, "control": guide},
    ]
    assert np.abs(make(root, "xl", rows=rows) - np.asarray(expected).astype(int)).max() <= 1


def test_a_network_that_reads_another_width_of_text(root: Path, tmp_path: Path) -> None:
    """A text encoder that does not belong to the network is told, not a crash in a matrix product."""
    import shutil

    from transformers import CLIPTextConfig, CLIPTextModel

    shutil.copytree(root / "v", tmp_path / "wrong")
    config = CLIPTextConfig.from_pretrained(tmp_path / "wrong/text_encoder")
    config.hidden_size = 2 * tiny.WIDTH
    CLIPTextModel(config).save_pretrained(tmp_path / "wrong/text_encoder")
    with pytest.raises(IncompatibleModels, match="reads text 16 wide, its text encoder gives 32"):
        make(tmp_path, "wrong", rows=[{"prompt": "a"}])


@pytest.mark.parametrize(
    ("base", "control", "field", "told"),
    [
        ("sana", {"type": "map", "image": "map.png"}, "rows.0.control", "takes no control image"),
        (
            "v",
            {"type": "map", "image": "map.png", "model": "v-tuned"},
            "rows.0.control.model",
            "is a base, not a controlnet",
        ),
        (
            "v",
            {"type": "map", "image": "map.png", "model": "net"},
            "rows.0.control.model",
            "is a controlnet for Stable Diffusion XL; 'v' is Stable Diffusion 1.x",
        ),
    ],
)
def test_control_images_that_cannot_reach_a_row(
    root: Path, base: str, control: dict, field: str, told: str, tmp_path: Path
) -> None:
    import json

    from studio.plan import compile_plan

    (tmp_path / "net").mkdir()
    config = {"_class_name": "ControlNetModel", "addition_embed_type": "text_time"}
    (tmp_path / "net/config.json").write_text(json.dumps(config))
    preset = validate({"base": base, "rows": [{"prompt": "a", "control": control}]})
    with pytest.raises(IncompatibleModels, match=told) as caught:
        compile_plan(preset, Library((root, tmp_path)))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("row", "field", "told"),
    [
        ({"model": "dog"}, "rows.0.model", "the base has no layer 'down_blocks.0"),
        ({"model": "kohya"}, "rows.0.model", "the base has no layer 'unet.down_blocks.0"),
        ({"image": "map.png"}, "rows.0.image", "takes no picture to edit"),
        (
            {"image_prompt": {"image": "map.png", "model": "ip/light"}},
            "rows.0.image_prompt.model",
            "SANA takes no image prompt",
        ),
    ],
)
def test_kinds_that_sana_does_not_take_are_refused_by_name(
    root: Path, row: dict, field: str, told: str, tmp_path: Path
) -> None:
    """Whose headers tell no family: those that do are refused by it, before anything is read."""
    block = "down_blocks.0.attentions.0.transformer_blocks.0.attn2"
    (tmp_path / "dog").mkdir()
    (tmp_path / "ip").mkdir()
    save_file(
        {f"{block}.processor.to_k_custom_diffusion.weight": torch.ones(8, tiny.WIDTH)},
        tmp_path / "dog/pytorch_custom_diffusion_weights.safetensors",
    )
    lora = {
        f"unet.{block}.to_q.lora_A.weight": torch.ones(2, 8),
        f"unet.{block}.to_q.lora_B.weight": torch.ones(8, 2),
    }
    save_file(lora, tmp_path / "kohya.safetensors")
    state = test_image_prompt.adapter_state(tiny.unet(), 10, 0)
    save_file(state, tmp_path / "ip/light.safetensors")
    library = Library((root, tmp_path))
    engine = Engine(device="cpu", library=library, image_roots=[root])
    preset = {
        "base": "sana",
        "rows": [{"prompt": "a cat", **row}],
        "sampler": {"steps": 1, "scheduler": "euler"},
    }
    with pytest.raises(StudioError, match=told) as caught:
        list(engine.generate(validate(preset)))
    assert caught.value.field == field
