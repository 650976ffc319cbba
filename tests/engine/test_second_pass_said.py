"""Prompts and scale of a second pass, against diffusers' pipeline that is given them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diffusers import EulerDiscreteScheduler

from studio.engine import Engine
from studio.errors import BadPreset, StudioError
from studio.events import Done
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.preset import Preset, validate
from studio.preset.derived import second_of
from studio.preset.variants import choices, chosen, preset_varies
from tests.support import tiny
from tests.support.tiny_pictures import SCALE, SEED, STEPS, difference, theirs, theirs_again

CAT, DOG = {"prompt": "a cat", "weight": SCALE}, {"prompt": "a dog", "weight": 1 - SCALE}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    return folder


def preset_of(*rows: dict[str, Any], **again: Any) -> Preset:
    sampler = {"steps": STEPS, "scheduler": "ddim", "seed": SEED}
    second = {"scale": 2.0, "strength": 0.5, "steps": 6, **again}
    return validate({"base": "base", "rows": list(rows), "second_pass": second, "sampler": sampler})


@pytest.mark.parametrize(
    ("rows", "again", "prompt", "negative", "scale"),
    [
        ([CAT], {"prompt": "a bird"}, "a bird", None, SCALE),
        ([CAT, DOG], {"prompt": "a bird", "negative_prompt": "a car"}, "a bird", "a car", SCALE),
        ([CAT, DOG], {"cfg": 2.5}, "a cat", "a dog", 2.5),
        ([CAT], {"cfg": 6.0, "prompt": "a bird"}, "a bird", None, 6.0),
    ],
)
def test_they_are_what_the_second_pipeline_is_given(
    root: Path,
    rows: list[dict[str, Any]],
    again: dict[str, Any],
    prompt: str,
    negative: str | None,
    scale: float,
) -> None:
    pipe = tiny.load(root / "base")
    first_negative = "a dog" if DOG in rows else None
    first = theirs(pipe, "a cat", negative_prompt=first_negative)
    asked = {"negative_prompt": negative, "guidance_scale": scale}
    expected = theirs_again(pipe.components, first, prompt, **asked)
    engine = Engine(device="cpu", library=Library((root,)), exact=True)

    def made(preset: Preset) -> np.ndarray:
        (done,) = [one for one in engine.generate(preset) if isinstance(one, Done)]
        assert done.preset.second_pass == preset.second_pass
        return np.asarray(done.image).astype(int)

    picture = made(preset_of(*rows, **again))
    assert difference(picture, expected) <= 2
    assert difference(picture, made(preset_of(*rows))) > 3


def test_another_model_makes_the_second_pass(root: Path) -> None:
    tiny.pipeline(root / "other", 3)
    pipe, other = tiny.load(root / "base"), tiny.load(root / "other")
    parts = {**pipe.components, "unet": other.unet, "text_encoder": other.text_encoder}
    expected = theirs_again(parts, theirs(pipe, "a cat"))
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    (done,) = [e for e in engine.generate(preset_of(CAT, model="other")) if isinstance(e, Done)]
    assert difference(np.asarray(done.image).astype(int), expected) <= 2
    assert done.preset.second_pass.model == "other" and not done.preset.refiner.on
    assert ("second_pass.model", "other") in done.preset.beside_rows()
    with pytest.raises(StudioError) as refused:
        stated_plan(preset_of(CAT, model="gone"), Library((root,)))
    assert refused.value.field == "second_pass.model"


@pytest.mark.parametrize(
    ("rows", "again", "field"),
    [
        ([CAT], {"negative_prompt": "a car"}, "second_pass.negative_prompt"),
        ([DOG], {"prompt": "a car"}, "second_pass.prompt"),
        ([CAT, DOG], {"cfg": 1000.0}, ""),
        (
            [{**CAT, "weight": 1.0}, {**DOG, "weight": 0.0}],
            {"cfg": 7.0, "negative_prompt": "c"},
            "",
        ),
        ([CAT, {**DOG, "reference": "own"}], {"cfg": 3.0}, "second_pass.cfg"),
        ([CAT], {"prompt": "[a:b:0.5"}, ""),
    ],
)
def test_what_cannot_be_said_is_refused_by_its_field(
    root: Path, rows: list[dict[str, Any]], again: dict[str, Any], field: str
) -> None:
    library = Library((root,))
    if not field:
        stated_plan(preset_of(*rows, **again), library)
        return
    with pytest.raises(BadPreset) as refused:
        stated_plan(preset_of(*rows, **again), library)
    assert refused.value.field == field
    stated_plan(preset_of(*rows, **again, strength=0.0), library)  # of which no step runs


def test_a_negative_prompt_takes_the_place_of_one_that_acts() -> None:
    muted = {"prompt": "blue", "weight": 0.0}
    preset = preset_of(CAT, muted, DOG, negative_prompt="a car", cfg=2.0)
    second = second_of(preset, "-", (16, 16), 8)
    assert [row.prompt for row in second.rows] == ["a cat", "blue", "a car"]


def test_choices_of_its_prompts_are_made_once() -> None:
    preset = preset_of(CAT, DOG, prompt="a {red|blue} cat", negative_prompt="{x|y}")
    assert preset_varies(preset) and not preset_varies(preset_of(CAT, DOG, prompt="a cat"))
    made = chosen(preset, 5)
    assert made.second_pass.prompt in ("a red cat", "a blue cat")
    assert made.second_pass.negative_prompt in ("x", "y")
    assert chosen(preset, 5) == made and not preset_varies(made)
    found = choices(preset, made.model_copy(update={"sampler": preset.with_seed(5).sampler}))
    assert found == [made.second_pass.prompt.split()[1], made.second_pass.negative_prompt]
    assert not preset_varies(preset_of(CAT, strength=0.0, prompt="a {red|blue} cat"))


def test_a_scheduler_of_its_own(root: Path) -> None:
    """Diffusers' second pipeline is given that scheduler; the first is as it is without."""
    pipe = tiny.load(root / "base")
    first = theirs(pipe, "a cat")
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    expected = theirs_again(pipe.components, first)
    engine = Engine(device="cpu", library=Library((root,)), exact=True)
    preset = preset_of(CAT, scheduler="euler")
    (done,) = [one for one in engine.generate(preset) if isinstance(one, Done)]
    assert done.preset.sampler.scheduler == "ddim"
    assert done.preset.second_pass.scheduler == "euler"
    assert difference(np.asarray(done.image).astype(int), expected) <= 2


def test_of_the_rest_another_scheduler_has_what_it_takes() -> None:
    given = preset_of(CAT, scheduler="euler").model_dump(mode="json")
    given["sampler"] |= {"eta": 0.5, "schedule": "automatic"}
    second = second_of(validate(given), "-", (16, 16), 8)
    assert (second.sampler.scheduler, second.sampler.eta) == ("euler", None)
    given["sampler"] |= {"scheduler": "euler", "eta": None, "schedule": "karras"}
    given["second_pass"]["scheduler"] = "ddim"
    assert second_of(validate(given), "-", (16, 16), 8).sampler.schedule == "automatic"
    given["second_pass"]["scheduler"] = "dpm++"
    assert second_of(validate(given), "-", (16, 16), 8).sampler.schedule == "karras"


def test_a_scheduler_that_is_none_or_does_not_fit_is_refused() -> None:
    with pytest.raises(BadPreset) as refused:
        preset_of(CAT, scheduler="eulr")
    assert refused.value.field == "second_pass.scheduler"
