"""Whole-model files merged: with each other, with folders, and with LoRAs for their text encoders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from studio.engine.merging.merge import merge
from studio.home import models_folder
from studio.library import Library
from studio.library.merging import Baked, Recipe
from tests.support import tiny_checkpoints, tiny_files, tiny_pictures

FAMILIES = ("sd1", "sd2", "sdxl")
SINGLE = 1e-6  # sums are made in float32
Parts = dict[str, nn.Module]


def moved(parts: Parts, seed: int) -> Parts:
    """Parts of the same shapes and other weights, the autoencoder's included."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for part in parts.values():
            for parameter in part.parameters():
                parameter.add_(0.02 * torch.randn_like(parameter))
    return parts


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest, studio_home: Path) -> str:
    return request.param


def saved(family: str) -> tuple[Parts, Parts]:
    a, b = (moved(tiny_checkpoints.parts(family), seed) for seed in (1, 2))
    tiny_files.save_whole_model(models_folder() / "a.safetensors", family, a)
    tiny_files.save_whole_model(models_folder() / "b.safetensors", family, b)
    return a, b


def made(**fields: object) -> list[object]:
    recipe = Recipe(**{"name": "mix", "a": "a", "precision": "fp32", **fields})  # type: ignore[arg-type]
    return list(merge(recipe, Library()))


def kept(part: str, name: str = "mix") -> dict[str, Tensor]:
    (file,) = (models_folder() / name / part).glob("*.safetensors")
    return {key.removeprefix("text_model."): value for key, value in load_file(file).items()}


def state(part: nn.Module) -> dict[str, Tensor]:
    return {key.removeprefix("text_model."): v.double() for key, v in part.state_dict().items()}


def check(part: str, wanted: dict[str, Tensor], name: str = "mix") -> None:
    merged = kept(part, name)
    assert merged.keys() == wanted.keys()
    for key, value in wanted.items():
        assert (merged[key].double() - value).abs().max() <= SINGLE * (1 + value.abs().max()), key


def mixed(a: nn.Module, b: nn.Module, m: float) -> dict[str, Tensor]:
    one, other = state(a), state(b)
    return {key: one[key] * (1 - m) + other[key] * m for key in one}


def test_two_files_become_a_folder_that_the_engine_reads(family: str) -> None:
    a, b = saved(family)
    made(b="b", multiplier=0.3)
    wanted = {}
    for part in a:
        values = state(a[part]) if part == "vae" else mixed(a[part], b[part], 0.3)
        check(part, values)
        wanted[part] = a[part]
        own = a[part].state_dict()
        plain = {key.removeprefix("text_model."): key for key in own}
        a[part].load_state_dict({plain[key]: value.float() for key, value in values.items()})
    prediction = "v_prediction" if family == "sd2" else "epsilon"
    entry = Library()["mix"]
    assert (entry.family, entry.kind, entry.problem) == (family, "base", "")
    theirs = tiny_checkpoints.theirs(family, wanted, prediction)
    ours = tiny_checkpoints.ours(models_folder(), "mix")
    assert tiny_pictures.difference(theirs, ours) <= 1


def test_a_file_and_a_folder_are_merged_either_way(family: str) -> None:
    a, b = saved(family)
    made(b="b", multiplier=1.0, name="folder")  # b, as a folder
    made(b="folder", multiplier=0.3)
    made(a="folder", b="a", multiplier=0.7, name="other")
    for part in a:
        if part != "vae":
            check(part, mixed(a[part], b[part], 0.3))
            check(part, mixed(a[part], b[part], 0.3), "other")


def test_a_lora_changes_the_text_encoders_at_a_strength_of_their_own(family: str) -> None:
    a, _ = saved(family)
    torch.manual_seed(3)
    places = {
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_k": (
            "unet",
            "mid_block.attentions.0.transformer_blocks.0.attn1.to_k.weight",
        ),
        f"lora_te{1 if family == 'sdxl' else ''}_text_model_encoder_layers_0_mlp_fc1": (
            "text_encoder",
            "encoder.layers.0.mlp.fc1.weight",
        ),
    }
    if family == "sdxl":
        places["lora_te2_text_model_encoder_layers_1_self_attn_k_proj"] = (
            "text_encoder_2",
            "encoder.layers.1.self_attn.k_proj.weight",
        )
    wanted = {part: state(a[part]) for part in a}
    tensors: dict[str, Tensor] = {}
    for name, (part, key) in places.items():
        out, wide = wanted[part][key].shape
        down, up = torch.randn(2, wide), torch.randn(out, 2)
        tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
        tensors[f"{name}.alpha"] = torch.tensor(1.0)
        strength = 0.8 if part == "unet" else -0.4
        wanted[part][key] = wanted[part][key] + strength * 0.5 * (up.double() @ down.double())
    save_file(tensors, models_folder() / "ink.safetensors")
    made(loras=(Baked("ink", 0.8, -0.4),))
    for part, values in wanted.items():
        check(part, values)


def test_a_file_in_half_is_summed_in_single(studio_home: Path) -> None:
    a, b = (moved(tiny_checkpoints.parts("sd1"), seed) for seed in (1, 2))
    for name, parts in (("a", a), ("b", b)):
        tiny_files.save_whole_model(
            models_folder() / f"{name}.safetensors", "sd1", {k: v.half() for k, v in parts.items()}
        )
    made(b="b", multiplier=0.3)
    for part in ("unet", "text_encoder"):
        check(part, mixed(a[part], b[part], 0.3))
    assert kept("vae")["decoder.conv_in.weight"].dtype == torch.float16
