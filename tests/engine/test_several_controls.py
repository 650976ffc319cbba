"""Several control images in one row, against diffusers' pipeline with as many ControlNets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, MultiControlNetModel, StableDiffusionControlNetPipeline
from PIL import Image

from studio.errors import BadPreset, IncompatibleModels, MissingModel
from studio.library import Library
from studio.library.missing import missing
from studio.plan.passes import Condition
from studio.plan.stated import stated_plan
from studio.preset import validate
from tests.support import tiny
from tests.support.tiny_pictures import SCALE, difference, ours, theirs

MAPS = ("one.png", "two.png", "three.png")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    other = ControlNetModel.from_pretrained(folder / "base/guide")
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    other.save_pretrained(folder / "base/other")
    chance = np.random.default_rng(0)
    for name in MAPS:
        Image.fromarray(chance.integers(0, 255, (16, 16, 3), np.uint8)).save(folder / name)
    return folder


def control(image: str, model: str, strength: float = 1.0) -> dict[str, Any]:
    return {"type": "map", "image": image, "model": model, "strength": strength}


def rows_of(*controls: dict[str, Any]) -> list[dict[str, Any]]:
    """Classifier-free guidance, whose both predictions see the maps."""
    both = {"control": controls[0], "controls": list(controls[1:])}
    return [
        {"prompt": "", "weight": 1.0, **both},
        {"prompt": "a cat", "weight": SCALE, "reference": {"prompt": ""}, **both},
    ]


@pytest.mark.parametrize(
    "controls",
    [
        (control("one.png", "base/guide"), control("two.png", "base/other", 0.6)),
        (control("one.png", "base/guide"), control("two.png", "base/guide", 0.5)),
        (
            control("one.png", "base/guide", 0.4),
            control("two.png", "base/other", 0.6),
            control("three.png", "base/guide", 0.7),
        ),
    ],
)
def test_it_is_diffusers_picture(root: Path, controls: tuple[dict[str, Any], ...]) -> None:
    nets = [ControlNetModel.from_pretrained(root / one["model"]) for one in controls]
    pipe = StableDiffusionControlNetPipeline.from_pretrained(
        root / "base", controlnet=MultiControlNetModel(nets), safety_checker=None
    )
    expected = theirs(
        pipe,
        "a cat",
        image=[Image.open(root / one["image"]) for one in controls],
        controlnet_conditioning_scale=[one["strength"] for one in controls],
    )
    for exact in (True, False):
        assert difference(ours(root, rows=rows_of(*controls), exact=exact), expected) <= 2
    assert difference(ours(root, rows=rows_of(controls[0])), expected) > 3


def test_rows_of_one_and_of_several_share_a_batch(root: Path) -> None:
    one, two = control("one.png", "base/guide"), control("two.png", "base/guide", 0.5)
    rows = [
        {"prompt": "a cat", "weight": 3.0, "control": one, "controls": [two]},
        {"prompt": "a dog", "weight": 1.0, "control": two},
        {"prompt": "a hat", "weight": -1.0},
    ]
    assert difference(ours(root, rows=rows), ours(root, rows=rows, exact=True)) <= 2


def test_one_control_runs_in_the_place_that_it_had_before_there_were_several() -> None:
    """The order of passes decides how their sum rounds."""
    (shown,) = (
        validate({"rows": [{"control": control("one.png", "net")}]}).rows[0].all_controls.values()
    )
    keys = [Condition("a", controls).sort_key()[1] for controls in ((), (shown,), (shown, shown))]
    assert keys == [repr(None), repr(shown), f"{shown!r}~{shown!r}"]


def test_a_plan_says_and_counts_them(root: Path) -> None:
    rows = rows_of(control("one.png", "base/guide"), control("two.png", "base/other"))
    plan = stated_plan(validate({"base": "base", "rows": rows}), Library((root,)))
    assert '("a cat", map, map)' in str(plan)
    assert len(plan.passes) == 2  # a pass is a condition, however many maps it has


def test_mistakes_name_the_one_that_they_are_of(root: Path) -> None:
    first = control("one.png", "base/guide")
    with pytest.raises(BadPreset, match="further ones"):
        validate({"rows": [{"prompt": "a", "controls": [first]}]})
    with pytest.raises(BadPreset) as refused:
        validate({"rows": [{"control": first, "controls": [control("x", "y", 9)]}]})
    assert refused.value.field == "rows.0.controls.0.strength"
    library = Library((root,))
    wrong = validate({"base": "base", "rows": rows_of(first, control("two.png", "base/style"))})
    with pytest.raises(IncompatibleModels) as refused_model:
        stated_plan(wrong, library)
    assert refused_model.value.field == "rows.0.controls.0.model"
    gone = validate({"base": "base", "rows": rows_of(first, control("two.png", "gone"))})
    with pytest.raises(MissingModel) as missed:
        stated_plan(gone, library)
    assert missed.value.field == "rows.0.controls.0.model"
    assert {one.id for one in missing(gone, library)} == {"gone"}
