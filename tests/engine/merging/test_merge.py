"""Merged models against sums made by hand in float64, and against the engine's own ω."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from studio.engine.merging.merge import Merged, Merging, merge
from studio.errors import StudioError
from studio.home import models_folder
from studio.library import Library
from studio.library.merging import Baked, Recipe
from tests.support import tiny, tiny_pictures

State = dict[str, Tensor]
# Half's rounding is within 2⁻¹¹ of a number; sums are made in float32 (2⁻²⁴ each).
HALF, SINGLE = 2**-11, 1e-6


@pytest.fixture
def folder(studio_home: Path) -> Path:
    """Three pipelines of one architecture, and a LoRA."""
    place = models_folder()
    for seed, name in enumerate("abc"):
        pipe = tiny.pipeline(place / name, seed)
        with torch.no_grad():
            for parameter in pipe.text_encoder.parameters():
                parameter.add_(0.02 * seed * torch.randn_like(parameter))
        pipe.text_encoder.save_pretrained(place / name / "text_encoder")
    tiny.lora(place / "style", UNet2DConditionModel.from_pretrained(place / "a/unet"))
    return place


def made(**fields: object) -> Merged:
    recipe = Recipe(**{"name": "mix", "a": "a", **fields})  # type: ignore[arg-type]
    *events, last = merge(recipe, Library())
    assert all(isinstance(event, Merging) for event in events) and isinstance(last, Merged)
    return last


def state(folder: Path, part: str) -> State:
    found: State = {}
    for file in (folder / part).glob("*.safetensors"):
        found |= load_file(file)
    return {name: value.double() for name, value in found.items()}


def check(merged: State, wanted: State, error: float) -> None:
    assert merged.keys() == wanted.keys()
    for name, value in wanted.items():
        bound = error * value.abs().max() + 1e-7  # below which half has steps of its own
        assert (merged[name] - value).abs().max() <= bound, name


@pytest.mark.parametrize("m", [0.3, -0.5, 1.25])
@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_a_weighted_sum_is_the_one_made_by_hand(folder: Path, part: str, m: float) -> None:
    made(b="b", multiplier=m, precision="fp32")
    a, b = (state(folder / name, part) for name in "ab")
    check(state(folder / "mix", part), {k: a[k] * (1 - m) + b[k] * m for k in a}, SINGLE)


def test_add_difference_is_the_one_made_by_hand(folder: Path) -> None:
    made(b="b", c="c", multiplier=0.7)
    for part in ("unet", "text_encoder"):
        a, b, c = (state(folder / name, part) for name in "abc")
        check(state(folder / "mix", part), {k: a[k] + 0.7 * (b[k] - c[k]) for k in a}, HALF)


@pytest.mark.parametrize(("precision", "dtype"), [("fp16", "F16"), ("bf16", "BF16")])
def test_it_is_stored_in_half_and_says_what_it_is(folder: Path, precision: str, dtype: str) -> None:
    made(b="b", multiplier=0.25, precision=precision, loras=(Baked("style", 0.5),))
    (file,) = (folder / "mix/unet").glob("*.safetensors")
    with safe_open(file, "pt") as opened:
        words = opened.metadata()
        assert opened.get_slice("conv_in.weight").get_dtype() == dtype
    recipe = json.loads(words["sd_merge_recipe"])
    assert recipe["interp_method"] == "Weighted sum" and recipe["multiplier"] == 0.25
    assert words["modelspec.merged_from"] == "a, b, style"
    card = json.loads((folder / "mix/card.json").read_text())["merged"]
    hashes = card["models"]
    assert len(hashes["A"]["sha256"]) == 64 and hashes["A"] != hashes["B"]
    assert recipe["primary_model_hash"] == hashes["A"]["sha256"]
    assert card["loras"][0] | {"sha256": ""} == {
        "id": "style",
        "sha256": "",
        "strength": 0.5,
        "text_strength": 0.5,
    }
    entry = Library()["mix"]
    assert entry.kind == "base" and not entry.problem
    assert entry.description.startswith("Merged: a·(1 − 0.25) + b·0.25 + 0.5·style")


def test_a_lora_is_baked_in_as_diffusers_fuses_it(folder: Path) -> None:
    made(loras=(Baked("style", 0.8),), precision="fp32")
    pipe = StableDiffusionPipeline.from_pretrained(folder / "a")
    pipe.load_lora_weights(folder / "style")
    pipe.fuse_lora(lora_scale=0.8)
    pipe.unload_lora_weights()
    fused = {name: value.double() for name, value in pipe.unet.state_dict().items()}
    check(state(folder / "mix", "unet"), fused, SINGLE)


def test_diffusers_reads_it(folder: Path) -> None:
    made(b="b")
    pipe = StableDiffusionPipeline.from_pretrained(folder / "mix")
    assert torch.equal(
        pipe.vae.decoder.conv_in.weight,
        StableDiffusionPipeline.from_pretrained(folder / "a").vae.decoder.conv_in.weight,
    )


def picture(base: str, model: object, omega: float) -> np.ndarray:
    row = {"prompt": "a cat", "weight": 4.0, "model": model}
    return tiny_pictures.ours(models_folder(), base, 16, rows=[row], omega=omega)


def test_the_row_on_it_is_the_row_at_that_omega(folder: Path) -> None:
    made(b="b", multiplier=0.4, precision="fp32")
    before, after = picture("a", "b", 0.4), picture("mix", "b", 0.0)
    assert tiny_pictures.difference(before, after) <= 1
    assert tiny_pictures.difference(before, picture("a", "b", 0.0)) > 1


def test_a_loras_row_on_it_keeps_what_is_left_of_its_strength(folder: Path) -> None:
    made(loras=(Baked("style", 0.4 * 0.8),), precision="fp32")
    before = picture("a", {"lora": "style", "strength": 0.8}, 0.4)
    after = picture("mix", {"lora": "style", "strength": 0.6 * 0.8}, 0.0)
    assert tiny_pictures.difference(before, after) <= 1
    assert tiny_pictures.difference(before, picture("a", {"lora": "style"}, 0.0)) > 1


def test_an_inpainting_network_takes_the_difference_and_keeps_its_own_channels(
    folder: Path,
) -> None:
    tiny.pipeline(folder / "paint", 5, in_channels=9)
    made(a="paint", b="b", c="c", multiplier=1.0, precision="fp32")
    a, b, c = (state(folder / name, "unet")["conv_in.weight"] for name in ("paint", "b", "c"))
    found = state(folder / "mix", "unet")["conv_in.weight"]
    check({"w": found[:, :4]}, {"w": a[:, :4] + b - c}, SINGLE)
    assert torch.equal(found[:, 4:], a[:, 4:])


def test_numbers_too_large_for_half_are_refused_and_nothing_stays(folder: Path) -> None:
    with pytest.raises(StudioError, match=r"precision: .*fp16 cannot hold; take bf16 or fp32"):
        made(b="b", multiplier=1e7)
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c", "style"]
    made(b="b", multiplier=1e7, precision="bf16")


def test_one_that_is_stopped_leaves_nothing(folder: Path) -> None:
    events = merge(Recipe("mix", "a", "b"), Library())
    while next(events).done == 0:  # type: ignore[union-attr]
        pass
    assert any(path.name.startswith(".merging-mix-") for path in folder.iterdir())
    assert "mix" not in Library() and len(Library().refused()) == 0
    events.close()  # type: ignore[attr-defined]
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c", "style"]


def test_a_name_that_is_taken_meanwhile_keeps_what_took_it(folder: Path) -> None:
    events = merge(Recipe("mix", "a", "b"), Library())
    next(events)
    (folder / "mix").mkdir()
    with pytest.raises(StudioError, match="name: mix is there already"):
        list(events)
    assert list((folder / "mix").iterdir()) == []
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c", "mix", "style"]
