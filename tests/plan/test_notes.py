"""What a plan notes of a row that was given something which changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from tests.support.studio_page import needs_starter

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
