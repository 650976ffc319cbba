"""The look at what came from elsewhere: in words, what is missing, and again once that has come."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.preset import Preset, validate
from studio.share import decode_link
from studio.ui.presets import look
from studio.ui.space import Limits


def linked(*rows: dict[str, Any]) -> Preset:
    return validate({"name": "Linked", "rows": list(rows)})


def test_rows_are_said_in_words() -> None:
    adapters = {"lora": "a/one", "strength": 1.0, "loras": [{"lora": "a/two"}]}
    masked = {"prompt": "b", "weight": -2.5, "mask": "inputs/m.png", "enabled": False}
    shown = look.asked(linked({"prompt": " a ", "model": adapters}, masked), Limits())
    assert shown["rows"] == [
        {"way": "to", "prompt": "a", "weight": "5", "models": ["a/one", "a/two"], "parts": []},
        {"way": "", "prompt": "b", "weight": "−2.5", "models": [], "parts": ["mask"]},
    ]
    assert shown["more"] == 0 and shown["state"] == "asked"
    many = look.asked(linked(*({"prompt": str(index)} for index in range(40))), Limits())
    assert len(many["rows"]) + many["more"] == 40


def test_what_is_missing_can_be_fetched_by_whoever_may() -> None:
    preset = linked({"prompt": "a", "model": {"lora": "some/absent", "strength": 1.0}})
    assert 'data-fetch="some/absent"' in look.asked(preset, Limits())["missing"]
    shared = look.asked(preset, Limits(shared=True))["missing"]
    assert "some/absent" in shared and "data-fetch" not in shared
    assert "data-choose" not in look.asked(preset, Limits())["missing"]  # its rows are not here


def test_a_look_is_made_again_of_what_it_was_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    preset = linked({"prompt": "a", "model": {"lora": "some/absent", "strength": 1.0}})
    shown = look.opened(preset, Limits(), {"nonce": 7})
    monkeypatch.setattr(look, "missing", lambda preset, library: [])  # it has come
    again = look.again(shown, Limits())
    assert again["missing"] == "" and again["again"] and again["with"] == 7
    assert decode_link(again["code"]) == preset
    assert look.again({}, Limits()) == look.again(None, Limits()) == {}
