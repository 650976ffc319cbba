"""A form as a browser kept it: what it holds can be sent back to it."""

from __future__ import annotations

import json

import pytest

from studio.ui.form import kept


def test_halves_of_letters_are_marked_and_whole_ones_stay() -> None:
    form = {"rows": [{"prompt": "a fox \ud83d"}], "name": "\udc00 \U0001f98a ü"}
    assert kept(json.dumps(form)) == {
        "rows": [{"prompt": "a fox \ufffd"}],
        "name": "\ufffd \U0001f98a ü",
    }
    assert kept(None) is None and kept("") is None
    with pytest.raises(ValueError):
        kept("{")
