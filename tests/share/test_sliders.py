"""Slider LoRAs at the strengths that other tools gave them, below zero and far from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from studio.library import Library
from tests.support.other_tools import a1111, comfy, encode, graph, node, png, read, sampler

FOOOCUS = {
    "prompt": "a cat",
    "negative_prompt": "",
    "base_model": "mymodel",
    "base_model_hash": "x",
    "sampler": "euler",
    "scheduler": "karras",
    "guidance_scale": 4,
    "seed": "7",
    "steps": 9,
    "sharpness": 2,
}
INVOKE = {
    "positive_prompt": "a cat",
    "seed": 4,
    "steps": 5,
    "cfg_scale": 4,
    "scheduler": "euler",
    "model": {"name": "mymodel"},
}
SWARM = {"prompt": "a cat", "cfgscale": 5, "steps": 5, "seed": 1, "model": "mymodel"}
CHUNKS: dict[str, dict[str, Any]] = {
    "AUTOMATIC1111": {"parameters": a1111("a cat <lora:age:-6.5>")},
    "Fooocus": {"parameters": json.dumps({**FOOOCUS, "loras": [["age.safetensors", -6.5, "ab"]]})},
    "InvokeAI": {
        "invokeai_metadata": json.dumps(
            {**INVOKE, "loras": [{"model": {"name": "age"}, "weight": -6.5}]}
        )
    },
    "SwarmUI": {
        "parameters": json.dumps(
            {"sui_image_params": {**SWARM, "loras": ["age"], "loraweights": ["-6.5"]}}
        )
    },
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("models")
    layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
    save_file({layer: torch.ones(1, 768)}, folder / "age.safetensors")
    return Library((folder,))


@pytest.mark.parametrize("tool", CHUNKS)
def test_a_strength_below_zero_is_kept(tool: str, library: Library, tmp_path: Path) -> None:
    preset, notes = read(png(tmp_path, CHUNKS[tool]), library)
    assert preset.rows[0].model.adapters() == [("age", -6.5)]  # type: ignore[union-attr]
    assert "age" not in notes


def test_comfyui_s_two_strengths_below_zero(library: Library, tmp_path: Path) -> None:
    inputs = {"model": ["4", 0], "clip": ["4", 1], "lora_name": "age.safetensors"}
    loader = node("LoraLoader", **inputs, strength_model=-6.5, strength_clip=-0.5)
    text = encode("a cat", clip="9")
    path = comfy(tmp_path, graph(n6=text, n7=text, n9=loader, n3=sampler(model=["9", 0])))
    preset, _ = read(path, library)
    model: Any = preset.rows[0].model
    assert (model.adapters(), model.text_strengths()) == ([("age", -6.5)], [-0.5])


def test_what_lies_beyond_is_named(library: Library, tmp_path: Path) -> None:
    preset, notes = read(png(tmp_path, parameters=a1111("a cat <lora:age:-20>")), library)
    assert preset.rows[0].model.adapters() == [("age", -10.0)]  # type: ignore[union-attr]
    assert "'age' at -20 became -10" in notes
