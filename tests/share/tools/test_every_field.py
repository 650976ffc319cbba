"""No field that changes a picture disappears without a word: each tool's own list of them, one after another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from studio.preset import Preset
from studio.share.texts import Texts
from studio.share.tools.foreign import read_foreign
from studio.share.tools.table import READERS
from tests.support.tool_examples import BASES
from tests.support.tool_fields import CHANGES, SAY_NOTHING

MODELS = ("mymodel", "ink", "canny15")


def with_value(data: Any, place: str, value: Any) -> Any:
    """A copy with ``value`` at ``place``, such as ``loras.0.weight``."""
    copy = json.loads(json.dumps(data))
    *way, last = place.split(".")
    holder = copy
    for key in way:
        holder = holder[int(key) if isinstance(holder, list) else key]
    holder[last] = value
    return copy


def told(tool: str, data: dict[str, Any]) -> tuple[Preset, set[str]]:
    """The preset, and everything that is said of it."""
    found = read_foreign(Texts(BASES[tool][1](data), (64, 96)), "theirs.png", MODELS)
    assert found is not None, (tool, data)
    assert f"made with {tool}" in found[1][0]
    return found[0], set(found[1])


@pytest.mark.parametrize("tool", CHANGES)
def test_every_field_is_in_the_preset_or_in_the_notes(tool: str) -> None:
    base = BASES[tool][0]
    preset, notes = told(tool, base)
    silent = []
    for place, values in CHANGES[tool].items():
        for value in values:
            changed, said = told(tool, with_value(base, place, value))
            if changed == preset and said <= notes:
                silent.append((place, value))
    assert silent == []


@pytest.mark.parametrize("tool", SAY_NOTHING)
def test_what_says_nothing_is_not_noted(tool: str) -> None:
    base = BASES[tool][0]
    preset, notes = told(tool, base)
    for name, value in SAY_NOTHING[tool].items():
        assert told(tool, base | {name: value}) == (preset, notes), name


def test_every_tool_has_its_list() -> None:
    graphs = {"ComfyUI"}  # by node, in test_comfy_graph.py
    assert {*CHANGES} == {*SAY_NOTHING} == {*BASES} == {*READERS} - graphs
