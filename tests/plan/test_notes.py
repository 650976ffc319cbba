"""What a plan notes of a row that was given something which changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.library import Library
from studio.plan import compile_plan
from studio.preprocessors.plain import canny
from studio.preset import validate
from tests.support.studio_page import needs_starter

SWAPPED = "rows.0.control.low: is above the high one, and the two act swapped"
WORD = {"embeddings": ["starter/word-hero"]}
VARIED = ("rows.0.prompt: its choices are made for each image, by the seed",)
UNUSED = ("rows.0.prompt: without <hero> in it, starter/word-hero changes nothing",)


@needs_starter
@pytest.mark.parametrize(
    ("row", "notes"),
    [
        ({"prompt": "a hero", "model": WORD}, UNUSED),
        ({"prompt": "a hero", "model": {"lora": "starter/lora-hero", **WORD}}, UNUSED),
        ({"prompt": "a <hero>", "model": WORD}, ()),
        ({"prompt": "a cat", "model": WORD, "reference": {"prompt": "a <hero>"}}, ()),
        ({"prompt": "a hero", "model": {"lora": "starter/lora-hero"}}, ()),
        ({"prompt": "a hero", "model": WORD, "enabled": False}, ()),
        ({"prompt": "a {red|blue} hat on __who__", "model": WORD}, VARIED),
    ],
)
def test_a_learned_word_that_no_text_holds_is_noted(
    row: dict[str, Any], notes: tuple[str, ...]
) -> None:
    rows = [row, {"prompt": "a cat"}]  # so that one takes part
    assert compile_plan(validate({"rows": rows}), Library()).notes == notes


@needs_starter
@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ({"low": 300, "high": 200}, True),
        ({"low": 200, "high": 200}, False),
        ({"low": 300, "high": 200, "finished": True}, False),  # whose edges are drawn already
    ],
)
def test_thresholds_that_stand_the_other_way_round_are_noted(
    thresholds: dict[str, Any], said: bool
) -> None:
    control = {"type": "canny", "image": "missing.png", **thresholds}
    plan = compile_plan(validate({"rows": [{"prompt": "a cat", "control": control}]}), Library())
    assert (SWAPPED in plan.notes) == said


def test_edges_are_the_same_with_both_thresholds_swapped() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    one, other = (canny(Image.fromarray(picture), *pair) for pair in ((300, 600), (600, 300)))
    assert one.tobytes() == other.tobytes()
    assert one.convert("L").getextrema() == (0, 255)
