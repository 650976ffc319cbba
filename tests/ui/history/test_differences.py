"""What two presets differ in, said with the words that the page's own lists have."""

from __future__ import annotations

import pytest

pytest.importorskip("gradio")

from studio.history.differences import differences
from studio.preset import validate
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
