"""The look at what came from elsewhere: in words, what is missing, and again once that has come."""

from __future__ import annotations

import base64
import io
import random
import string
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

import gradio as gr
from PIL import Image

from studio.errors import StudioError
from studio.preset import Preset, validate
from studio.share import decode_link, extract
from studio.share.link import pack
from studio.ui.page import build
from studio.ui.presets import look
from studio.ui.space import Limits


def linked(*rows: dict[str, Any]) -> Preset:
    return validate({"name": "Linked", "rows": list(rows)})


def test_rows_are_said_in_words() -> None:
    adapters = {"lora": "a/one", "strength": 1.0, "loras": [{"lora": "a/two"}]}
    masked = {"prompt": "b", "weight": -2.5, "mask": "inputs/m.png", "enabled": False}
    shown = look.asked(linked({"prompt": " a ", "model": adapters}, masked), Limits(), "code")
    assert shown["rows"] == [
        {"way": "to", "prompt": "a", "weight": "5", "models": ["a/one", "a/two"], "parts": []},
        {"way": "", "prompt": "b", "weight": "−2.5", "models": [], "parts": ["mask"]},
    ]
    assert shown["more"] == 0 and shown["state"] == "asked"
    many = look.asked(linked(*({"prompt": str(index)} for index in range(40))), Limits(), "code")
    assert len(many["rows"]) + many["more"] == 40


def test_what_is_missing_can_be_fetched_by_whoever_may() -> None:
    preset = linked({"prompt": "a", "model": {"lora": "some/absent", "strength": 1.0}})
    assert 'data-fetch="some/absent"' in look.asked(preset, Limits(), "code")["missing"]
    shared = look.asked(preset, Limits(shared=True), "code")["missing"]
    assert "some/absent" in shared and "data-fetch" not in shared
    assert (
        "data-choose" not in look.asked(preset, Limits(), "code")["missing"]
    )  # its rows are not here


def test_a_look_is_made_again_of_what_it_was_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    preset = linked({"prompt": "a", "model": {"lora": "some/absent", "strength": 1.0}})
    shown = look.opened(preset, Limits(), {"nonce": 7})
    monkeypatch.setattr(look, "missing", lambda preset, library: [])  # it has come
    again = look.again(shown, Limits())
    assert again["missing"] == "" and again["again"] and again["with"] == 7
    assert decode_link(again["code"]) == preset
    assert look.again({}, Limits()) == look.again(None, Limits()) == {}


def test_a_look_keeps_the_link_s_own_text_with_its_pictures(studio_home: Path) -> None:
    sent = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(sent, "PNG")
    picture = f"data:image/png;base64,{base64.b64encode(sent.getvalue()).decode()}"
    code = pack(linked({"prompt": "a", "mask": picture}))
    preset = extract(decode_link(code))
    for shown in (
        look.asked(preset, Limits(), code),
        look.opened(preset, Limits(), {"nonce": 7}, code),
    ):
        assert shown["code"] == code
        again = look.again(shown, Limits())
        assert again["code"] == code and again["rows"] == shown["rows"]
    assert decode_link(shown["code"]).rows[0].mask == picture


def test_a_look_at_what_is_longer_than_a_link_is_made_again() -> None:
    letters = random.Random(1)
    prompts = ("".join(letters.choices(string.ascii_letters, k=4000)) for _ in range(40))
    preset = linked(*({"prompt": prompt} for prompt in prompts))
    shown = look.opened(preset, Limits(), {"nonce": 7})
    with pytest.raises(StudioError, match="longer than"):
        decode_link(shown["code"])
    assert look.again(shown, Limits())["rows"] == shown["rows"]


def test_an_answer_about_no_look_leaves_the_one_that_came_meanwhile(studio_home: Path) -> None:
    looks = [fn for fn in build().fns.values() if [type(one) for one in fn.outputs] == [look.Look]]
    again = next(fn for fn in looks if [type(one) for one in fn.inputs] == [look.Look])
    assert again.fn is not None
    assert again.fn({}) == again.fn(None) == gr.skip()
