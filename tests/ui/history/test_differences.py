"""What two presets differ in, said with the words that the page's own lists have."""

from __future__ import annotations

import pytest

pytest.importorskip("gradio")

from studio.history.differences import differences
from studio.preset import Preset, validate
from studio.ui.schema import choices_of, labels, titles


def test_values_of_a_row_are_called_as_its_lists_call_them() -> None:
    canny = {"control": {"type": "canny", "image": "data:image/png;base64,AA"}}
    one = {**canny, "reference": "unconditional"}
    two = {**canny, "reference": "own", "curve": "linear_up"}
    two["control"] = {**canny["control"], "type": "depth"}
    presets = [validate({"rows": [row]}) for row in (one, two)]
    kinds = dict(choice[:2] for choice in choices_of("Control", "type"))
    assert differences(*presets, labels(), titles()) == [
        f"control type of row 1: {kinds['canny']} → {kinds['depth']}",
        "curve of row 1: constant → rising",
        "reference of row 1: unconditional (default) → own weak model",
    ]


def test_further_controls_of_a_row_are_called_by_their_number() -> None:
    canny = {"type": "canny", "image": "data:image/png;base64,AA"}
    one, two = (
        validate({"rows": [{"control": canny, "controls": [{**canny, **more}]}]})
        for more in ({}, {"strength": 0.5, "type": "depth"})
    )
    kinds = dict(choice[:2] for choice in choices_of("Control", "type"))
    assert differences(one, two, labels(), titles()) == [
        f"control 2, type of row 1: {kinds['canny']} → {kinds['depth']}",
        "control 2, strength of row 1: 1 → 0.5",
    ]


def test_a_further_control_is_called_by_its_number() -> None:
    canny = {"type": "canny", "image": "data:image/png;base64,AA"}
    first, second, third = (
        validate({"rows": [{"control": canny, "controls": controls}]})
        for controls in ([{**canny, "low": 50}], [{**canny, "low": 60}], [])
    )
    assert differences(first, second) == ["control 2, low of row 1: 50 → 60"]
    assert "control 2, low of row 1: 60 → none" in differences(second, third)


def prompted(text: str) -> Preset:
    return validate({"rows": [{"prompt": text}]})


def test_of_long_texts_that_part_is_shown_in_which_they_differ() -> None:
    begin = "a long prompt of a cat, " * 9
    first, second = (prompted(f"{begin}{end}, drawn\nby hand") for end in ("at dawn", "by night"))
    alike = (begin * 2)[-40:]
    (said,) = differences(first, second)
    dawn, night = said.removeprefix("prompt of row 1: ").split(" → ")
    assert dawn.startswith("“…") and dawn.endswith(r"a cat, at dawn, drawn\nby hand”")
    assert night.endswith(r"by night, drawn\nby hand”") and len(dawn) == len(night) == 123
    assert alike in dawn and alike in night
    assert differences(prompted("x" * 200), prompted("y" * 200)) == [
        f"prompt of row 1: “{'x' * 120}…” → “{'y' * 120}…”",
    ]


def test_a_reference_prompt_that_is_empty_is_another_prompt() -> None:
    rows = [{"prompt": "a"}, {"prompt": "a", "reference": {"prompt": ""}}]
    plain, empty = (validate({"rows": [row]}) for row in rows)
    assert differences(plain, empty) == ["reference prompt of row 1: none → another prompt"]
    full = validate({"rows": [{**rows[1], "reference": {"prompt": "x"}}]})
    assert differences(full, empty) == ["reference prompt of row 1: “x” → another prompt"]
