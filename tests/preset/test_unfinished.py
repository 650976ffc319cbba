"""The name of a picture that was kept before it was finished, and what is made with it afterwards."""

from __future__ import annotations

import pytest

from studio.preset import Preset, validate
from studio.preset.unfinished import unfinished, without_mark

ROWS = {"rows": [{"prompt": "a"}]}


@pytest.mark.parametrize("name", ["", "Two halves", "a (b)\nc", "x" * 200])
@pytest.mark.parametrize("at", ["step 3 of 140", ""])
def test_a_mark_says_so_and_goes_with_the_next_picture(name: str, at: str) -> None:
    kept = unfinished(validate({"name": name, **ROWS}), at)
    assert kept.name.endswith(f"(unfinished, {at})" if at else "(unfinished)")
    assert validate(kept.model_dump()) == kept  # its name is not too long for a file
    before = without_mark(kept).name
    assert before == name or (len(name) == 200 and name.startswith(before) and len(before) > 150)
    assert without_mark(without_mark(kept)).name == before


@pytest.mark.parametrize("name", ["Untitled", "(unfinished)", "unfinished, step 3 of 4", "a (un)"])
def test_other_names_stay(name: str) -> None:
    assert without_mark(Preset(name=name)).name == name
