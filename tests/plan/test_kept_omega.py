"""A preset's θ_ω as a recipe: merged, it makes the same picture at ω 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from studio.engine.merging.merge import merge
from studio.errors import StudioError
from studio.home import models_folder
from studio.library import Library
from studio.plan.kept_omega import advice, recipe_of
from studio.preset import Preset, validate
from tests.support import tiny, tiny_pictures

INK = {"lora": "ink", "strength": 0.8, "text_strength": 0.5}


@pytest.fixture
def home(studio_home: Path) -> Path:
    folder = models_folder()
    for seed, name in enumerate("abc"):
        pipe = tiny.pipeline(folder / name, seed)
        with torch.no_grad():
            for parameter in pipe.text_encoder.parameters():
                parameter.add_(0.02 * seed * torch.randn_like(parameter))
        pipe.text_encoder.save_pretrained(folder / name / "text_encoder")
    for seed, name in ((1, "ink"), (2, "oil")):
        tiny.lora(folder / name, UNet2DConditionModel.from_pretrained(folder / "a/unet"), seed)
    return folder


def preset(*models: object, omega: float = 0.4, **of_rows: Any) -> Preset:
    rows = [{"prompt": "a cat", "weight": 3.0, "model": one, **of_rows} for one in models]
    return validate({"base": "a", "rows": rows, "omega": omega})


def picture(base: str, *models: object, omega: float) -> np.ndarray:
    rows = [{"prompt": "a cat", "weight": 3.0, "model": one} for one in models]
    return tiny_pictures.ours(models_folder(), base, 16, rows=rows, omega=omega)


@pytest.mark.parametrize("omega", [0.4, 1.0])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["b"], lambda left: ["b"]),
        ([INK], lambda left: [{**INK, "strength": 0.8 * left, "text_strength": 0.5 * left}]),
        (
            [{"model": "b", "lora": "ink", "strength": 0.5}],
            lambda left: [{"model": "b", "lora": "ink", "strength": 0.5}],
        ),
        (  # p₁ = p₂ = ½: each row is on the base what it was on A
            [{"lora": "ink"}, {"lora": "oil"}],
            lambda left: [
                {"model": "a", "lora": "ink"},
                {"model": "a", "lora": "oil"},
            ],
        ),
    ],
)
def test_the_merged_model_makes_the_same_picture_at_omega_0(
    home: Path, before: list, after: Any, omega: float
) -> None:
    recipe = replace(
        recipe_of(preset(*before, omega=omega), Library()), name="kept", precision="fp32"
    )
    list(merge(recipe, Library()))
    made = picture("a", *before, omega=omega)
    assert tiny_pictures.difference(made, picture("kept", *after(1 - omega), omega=0.0)) <= 1
    assert tiny_pictures.difference(made, picture("a", *before, omega=0.0)) > 1


def test_it_says_what_becomes_of_the_row(home: Path) -> None:
    told = preset(INK)
    assert advice(recipe_of(told, Library()), told).endswith("same picture with ink at 0.48.")
    told = preset("b")
    assert advice(recipe_of(told, Library()), told).startswith("With it as the base and ω at 0")
    told = preset(INK, "b")
    assert advice(recipe_of(told, Library()), told) == ""


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (preset("b", omega=0.0), "omega: changes nothing now"),
        (preset(None), "omega: changes nothing now"),
        (preset("b", "c"), "omega: lies between a and several fine-tunes (b, c)"),
        (preset("b", range=[0.2, 1.0]), "omega: acts in a part of the denoising alone"),
        (preset("b", mask="assets/examples/x.png"), "omega: acts where the masks of its rows"),
    ],
)
def test_what_is_no_one_model_is_refused(home: Path, made: Preset, says: str) -> None:
    with pytest.raises(StudioError) as refused:
        recipe_of(made, Library())
    assert str(refused.value).startswith(says)
