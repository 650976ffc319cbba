"""The table of readers: a reader from outside, and the rule that no field disappears."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.share.texts import Texts
from studio.share.tools.table import READERS, Fields, Found, Reader, find
from tests.support.other_tools import PLAIN, a1111, png, read, rows

# What a person writes to add a tool: this, and an entry point of their package.
TOY = """
import json
from studio.share.texts import Texts
from studio.share.tools.prompts import Lora
from studio.share.tools.table import READERS, Fields, Found, Reader

def read(texts: Texts) -> Found | None:
    data = texts.json("toy_settings")
    if data is None:
        return None
    fields = Fields(data)
    found = Found(
        tool="Toy",
        fields=fields,
        prompt=fields.text("words"),
        negative=fields.text("not"),
        scale=fields.number("guidance"),
        steps=fields.take("steps"),
        seed=fields.take("seed"),
        sampler=fields.text("solver"),
        loras=[Lora(name, weight) for name, weight in fields.take("loras") or ()],
    )
    fields.drop("version")
    return found

def add():
    READERS.register("Toy", Reader(read))
"""
SETTINGS = {
    "words": "a cat",
    "not": "bad",
    "guidance": 7,
    "steps": 9,
    "seed": 3,
    "solver": "ddim",
    "loras": [["ink", 0.5]],
    "version": "1.0",
    "glow": 0.3,
    "halo": False,
}


def test_a_reader_from_outside(tmp_path: Path) -> None:
    assert len(TOY.strip().splitlines()) <= 40
    space: dict = {}
    exec(TOY, space)
    space["add"]()
    try:
        path = png(tmp_path, toy_settings=json.dumps(SETTINGS))
        preset, notes = read(path, ("mymodel", "ink"))
    finally:
        READERS.remove("Toy")
    assert rows(preset) == PLAIN and (preset.sampler.scheduler, preset.sampler.steps) == ("ddim", 9)
    assert preset.rows[0].model.adapters() == [("ink", 0.5)]  # type: ignore[union-attr]
    assert "made with Toy" in notes
    assert "glow 0.3 is not carried over" in notes  # the field that the reader does not know
    assert "halo" not in notes and "version" not in notes


def test_a_reader_that_fails_ends_nothing(tmp_path: Path) -> None:
    def broken(texts: Texts) -> Found | None:
        raise RuntimeError("a bug of somebody else")

    READERS.register("broken", Reader(broken, order=0))
    try:
        assert rows(read(png(tmp_path, parameters=a1111()))[0]) == PLAIN
        assert find(Texts({}))[1] == ["broken"]
    finally:
        READERS.remove("broken")


def test_every_tool_has_a_reader() -> None:
    assert set(READERS) == {
        "AUTOMATIC1111",
        "ComfyUI",
        "InvokeAI",
        "NovelAI",
        "Fooocus",
        "SwarmUI",
        "SD.Next",
        "Draw Things",
        "Easy Diffusion",
        "Mochi Diffusion",
        "civitai.com",
    }


@pytest.mark.parametrize("nothing", [None, "", "None", "off", False, [], {}])
def test_fields_that_hold_nothing_are_not_named(nothing: object) -> None:
    assert Fields({"field": nothing}).notes() == []


def test_fields_that_are_no_numbers_stay_to_be_named() -> None:
    fields = Fields({"scale": "wide", "steps": 3, "Some thing": 1, "Some other": 2, "rest": 0})
    assert fields.number("scale", "cfg", plain=2.0) == 2.0
    assert fields.number("steps") == 3
    assert fields.notes() == [
        "Some thing 1, Some other 2 are not carried over",
        "rest 0 is not carried over",
        "scale 'wide' is not carried over",
    ]
    many = Fields({str(i): "x" for i in range(1000)})
    assert "600 further fields are not read" in many.notes()
