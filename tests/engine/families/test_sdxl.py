"""Stable Diffusion XL: two text towers, pooled text and size conditions, against diffusers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    StableDiffusionXLPipeline,
)
from safetensors.torch import save_file

from studio.engine import Engine
from studio.errors import IncompatibleModels
from studio.events import Done
from studio.library import Library
from studio.preset import validate
from tests.support import tiny, tiny_files
from tests.support.tiny_sdxl import WIDTHS, load, pipeline


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipeline(folder / "xl")
    pipeline(folder / "xl-plain", zeros=False)
    tiny.pipeline(folder / "sd")
    generator = torch.Generator().manual_seed(4)
    (folder / "embeddings").mkdir()
    save_file(
        {
            "clip_l": torch.randn(2, WIDTHS[0], generator=generator) * 3,
            "clip_g": torch.randn(2, WIDTHS[1], generator=generator) * 3,
        },
        folder / "embeddings/hero.safetensors",
    )
    return folder


def make(root: Path, base: str = "xl", exact: bool = True, **fields: object) -> list[np.ndarray]:
    engine = Engine(device="cpu", library=Library((root,)), exact=exact)
    sampler = {"steps": 3, "scheduler": "ddim", "seed": 3, **fields.pop("sampler", {})}  # type: ignore[dict-item]
    preset = validate({"base": base, "sampler": sampler, **fields})
    return [np.asarray(e.image).astype(int) for e in engine.generate(preset) if isinstance(e, Done)]


def theirs(pipe: StableDiffusionXLPipeline, width: int = 16, **arguments: Any) -> np.ndarray:
    image = pipe(
        num_inference_steps=3,
        width=width,
        height=16,
        guidance_scale=4.0,
        generator=torch.Generator().manual_seed(3),
        **arguments,
    ).images[0]
    return np.asarray(image).astype(int)


@pytest.mark.parametrize("base", ["xl", "xl-plain"])
@pytest.mark.parametrize("width", [16, 32])
def test_one_row_is_their_pipeline(root: Path, base: str, width: int) -> None:
    ours = make(root, base, rows=[{"prompt": "a cat", "weight": 4.0}], sampler={"width": width})[0]
    assert np.abs(ours - theirs(load(root, base), width, prompt="a cat")).max() <= 1


def test_a_negative_row_is_their_negative_prompt(root: Path) -> None:
    rows = [{"prompt": "a cat", "weight": 4.0}, {"prompt": "bad", "weight": -3.0}]
    expected = theirs(load(root), prompt="a cat", negative_prompt="bad")
    assert np.abs(make(root, rows=rows)[0] - expected).max() <= 1


def test_shared_work_changes_nothing(root: Path) -> None:
    rows = [{"prompt": "a cat", "weight": 4.0}, {"prompt": "b", "weight": 1.0}]
    fast = make(root, rows=rows, exact=False, sampler={"count": 2})
    assert np.abs(fast[0] - make(root, rows=rows)[0]).max() <= 1


def test_kohya_s_lora_in_the_original_code_s_names(root: Path) -> None:
    """XL's trainers name layers as the original code did, and both text towers."""
    pipe = load(root)
    generator = torch.Generator().manual_seed(6)
    state: dict[str, torch.Tensor] = {}
    kohya: dict[str, torch.Tensor] = {}

    def add(part: str, module: str, name: str, network: torch.nn.Module) -> None:
        weight = network.get_submodule(module).weight
        kernel = weight.shape[2:]
        down = torch.randn(2, weight.shape[1], *kernel, generator=generator)
        up = torch.randn(weight.shape[0], 2, *[1] * len(kernel), generator=generator) * 0.2
        state[f"{part}.{module}.lora_A.weight"] = down
        state[f"{part}.{module}.lora_B.weight"] = up * 0.5  # alpha 1 of rank 2
        kohya.update(
            {
                f"{name}.lora_down.weight": down,
                f"{name}.lora_up.weight": up,
                f"{name}.alpha": torch.tensor(1.0),
            }
        )

    for module in (
        "down_blocks.1.attentions.0.transformer_blocks.1.attn2.to_k",
        "mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
        "up_blocks.0.attentions.2.transformer_blocks.0.ff.net.2",
        "down_blocks.1.attentions.1.proj_in",
        "up_blocks.0.resnets.1.conv1",
    ):
        levels_of_three = tiny_files.unet_name(module, 3)
        add("unet", module, "lora_unet_" + levels_of_three.replace(".", "_"), pipe.unet)
    add(
        "text_encoder",
        "encoder.layers.0.self_attn.v_proj",
        "lora_te1_text_model_encoder_layers_0_self_attn_v_proj",
        pipe.text_encoder,
    )
    add(
        "text_encoder_2",
        "text_model.encoder.layers.1.self_attn.q_proj",
        "lora_te2_text_model_encoder_layers_1_self_attn_q_proj",
        pipe.text_encoder_2,
    )
    assert all(re.match(r"lora_(unet_(input|middle|output)_block|te)", key) for key in kohya)
    (root / "loras").mkdir(exist_ok=True)
    save_file(kohya, root / "loras/style.safetensors")
    assert Library((root,))["loras/style"].family == "sdxl"
    pipe.load_lora_weights(state)
    row = {"prompt": "a cat", "weight": 4.0, "model": "loras/style"}
    # Their empty prompt is zeros, which no text adapter changes; ω = 1 gives the rest.
    ours = make(root, rows=[row], omega=1.0)[0]
    assert np.abs(ours - theirs(pipe, prompt="a cat")).max() <= 1
    assert np.abs(ours - make(root, rows=[{**row, "model": None}])[0]).max() > 1


def test_a_pair_of_learned_words(root: Path) -> None:
    from safetensors.torch import load_file

    pipe = load(root)
    vectors = load_file(root / "embeddings/hero.safetensors")
    pipe.load_textual_inversion(
        vectors["clip_l"], token="hero", text_encoder=pipe.text_encoder, tokenizer=pipe.tokenizer
    )
    pipe.load_textual_inversion(
        vectors["clip_g"],
        token="hero",
        text_encoder=pipe.text_encoder_2,
        tokenizer=pipe.tokenizer_2,
    )
    row = {"prompt": "a hero in red", "weight": 4.0, "model": "embeddings/hero"}
    assert np.abs(make(root, rows=[row])[0] - theirs(pipe, prompt="a hero in red")).max() <= 1


@pytest.mark.parametrize(
    ("base", "model", "told"),
    [
        ("sd", "xl", "'xl' works in latent space 4x2:0.13025, the base 'sd' in 4x2:0.5"),
        ("xl", "sd", "'sd' works in latent space"),
        ("sd", "embeddings/hero", "for Stable Diffusion XL; 'sd' is Stable Diffusion 1.x"),
    ],
)
def test_what_cannot_mix_is_refused_before_anything_is_read(
    root: Path, base: str, model: str, told: str
) -> None:
    from studio.plan import compile_plan

    with pytest.raises(IncompatibleModels, match=re.escape(told)) as caught:
        compile_plan(
            validate({"base": base, "rows": [{"prompt": "hero", "model": model}]}), Library((root,))
        )
    assert caught.value.field == "rows.0.model"
