"""FreeU as other tools say it, and as the studio says it to others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.preset import validate
from studio.share.parameters import parameters_text
from studio.share.unsaid import unsaid
from tests.share.tools.test_clip_layers import opened
from tests.share.tools.test_every_field import with_value
from tests.support import tool_examples
from tests.support.other_tools import comfy, graph, node, png, read, sampler

ROWS = [{"prompt": "a cat", "weight": 4.0}]
STAGES = [
    {"backbone_factor": 1.2, "skip_factor": 0.9},
    {"backbone_factor": 1.4, "skip_factor": 0.2},
]
EXTENSION = {
    "FreeU Stages": json.dumps(STAGES),
    "FreeU Schedule": "0.0, 1.0, 0.0",
    "FreeU Version": 2,
}
FORGE = {
    "freeu_enabled": "True",
    **{
        f"freeu_{k}": v
        for k, v in zip(("b1", "b2", "s1", "s2"), (1.01, 1.02, 0.99, 0.95), strict=True)
    },
}
SWARM = {"freeuapplyto": "Both", "freeuversion": "2", "freeublockone": 1.3, "freeublocktwo": 1.4}


def asked(tool: str, given: dict[str, Any], **more: Any) -> tuple[Any, str]:
    data, write = tool_examples.BASES[tool]
    for place, value in given.items():
        data = with_value(data, place, value)
    return opened(write(data), **more)


@pytest.mark.parametrize(
    ("tool", "given", "factors", "version"),
    [
        ("AUTOMATIC1111", EXTENSION, (1.2, 1.4, 0.9, 0.2), 2),
        ("AUTOMATIC1111", {"FreeU Stages": EXTENSION["FreeU Stages"]}, (1.2, 1.4, 0.9, 0.2), 1),
        ("AUTOMATIC1111", FORGE, (1.01, 1.02, 0.99, 0.95), 2),
        (
            "AUTOMATIC1111",
            {**FORGE, "freeu_start": 0.0, "freeu_end": 1.0},
            (1.01, 1.02, 0.99, 0.95),
            2,
        ),
        ("AUTOMATIC1111", {"FreeU": "b1=1.2 b2=1.4 s1=0.9 s2=0.2"}, (1.2, 1.4, 0.9, 0.2), 1),
        ("AUTOMATIC1111", {"FreeU": "(1.01, 1.02, 0.99, 0.95)"}, (1.01, 1.02, 0.99, 0.95), 2),
        ("SwarmUI", SWARM, (1.3, 1.4, 0.9, 0.2), 2),
        ("SwarmUI", {"freeuapplyto": "Base"}, (1.1, 1.2, 0.9, 0.2), 1),
        ("Fooocus", {"freeu": "(1.01, 1.02, 0.99, 0.95)"}, (1.01, 1.02, 0.99, 0.95), 2),
    ],
)
def test_what_each_tool_says(
    tool: str, given: dict[str, Any], factors: tuple[float, ...], version: int
) -> None:
    preset, notes = asked(tool, given)
    freeu = preset.freeu
    assert freeu.on and (freeu.b1, freeu.b2, freeu.s1, freeu.s2) == factors
    assert f"freeu.on: version {version} there, by the channels" in notes
    assert not any(f"{place} " in notes for place in given)


@pytest.mark.parametrize(
    ("tool", "given", "on", "named"),
    [
        ("AUTOMATIC1111", {**EXTENSION, "FreeU Version": 3}, True, ["FreeU Version"]),
        ("AUTOMATIC1111", {**EXTENSION, "FreeU Schedule": "0.2, 1.0, 0.0"}, True, ["0.2, 1.0"]),
        (
            "AUTOMATIC1111",
            {"FreeU Stages": json.dumps([{"skip_factor": 0, "backbone_factor": 1.1}])},
            False,
            ["FreeU Stages"],
        ),
        (
            "AUTOMATIC1111",
            {"FreeU Stages": json.dumps([*STAGES, {"backbone_factor": 1.5}])},
            True,
            ["FreeU Stages, 3, backbone_factor 1.5"],
        ),
        (
            "AUTOMATIC1111",
            {"FreeU Stages": json.dumps([{**STAGES[0], "backbone_width": 0.6}])},
            True,
            ["FreeU Stages, 1, backbone_width 0.6"],
        ),
        ("AUTOMATIC1111", {**FORGE, "freeu_end": 0.6}, True, ["freeu_end"]),
        ("AUTOMATIC1111", {**FORGE, "freeu_b2": "x"}, False, ["freeu_enabled", "freeu_b1", "'x'"]),
        ("AUTOMATIC1111", {**FORGE, "freeu_s1": 0}, False, ["freeu_enabled", "freeu_s1"]),
        ("SwarmUI", {**SWARM, "freeuapplyto": "Refiner"}, False, ["freeuapplyto", "freeublockone"]),
        ("SwarmUI", {**SWARM, "freeublockone": 0}, False, ["freeuapplyto", "freeublockone 0"]),
        ("SwarmUI", {**SWARM, "freeuversion": "4"}, True, ["freeuversion '4'"]),
        ("SwarmUI", {"freeublockone": 1.3}, False, ["freeublockone 1.3"]),
        ("Fooocus", {"freeu": "(1, 1)"}, False, ["freeu"]),
    ],
)
def test_what_cannot_be_carried_over_is_named(
    tool: str, given: dict[str, Any], on: bool, named: list[str]
) -> None:
    preset, notes = asked(tool, given)
    assert preset.freeu.on is on
    assert all(words in notes for words in named), notes


@pytest.mark.parametrize(("kind", "version"), [("FreeU", 1), ("FreeU_V2", 2)])
def test_comfyui_s_nodes(tmp_path: Path, kind: str, version: int) -> None:
    patch = node(kind, b1=1.3, b2=1.4, s1=0.9, s2=0.2, model=["4", 0])
    preset, notes = read(comfy(tmp_path, graph(n3=sampler(model=["8", 0]), n8=patch)))
    assert preset.freeu.on and (preset.freeu.b1, preset.freeu.s2) == (1.3, 0.2)
    assert f"freeu.on: version {version} there" in notes and preset.base == "mymodel"
    odd = node(kind, b1=1.3, b2=1.4, s1=0.0, s2=0.2, model=["4", 0])
    preset, notes = read(comfy(tmp_path, graph(n3=sampler(model=["8", 0]), n8=odd)))
    assert not preset.freeu.on and f"{kind} is not carried over" in notes


def test_on_a_base_without_levels_it_is_named() -> None:
    preset, notes = asked("SwarmUI", SWARM, family="sana")
    assert not preset.freeu.on
    assert "freeu.on: left out; SANA has no levels for it" in notes


def test_there_and_back(tmp_path: Path) -> None:
    given = validate(
        {"rows": ROWS, "freeu": {"on": True, "b1": 1.3, "b2": 1.4, "s1": 0.9, "s2": 0.2}}
    )
    back, _ = read(png(tmp_path, parameters=parameters_text(given)))
    assert back.freeu == given.freeu
    assert [one.split(":")[0] for one in unsaid(given) if "freeu" in one] == ["freeu.on"]
    for factors in ({}, {"b1": 1.3}):  # the others are the base's own
        open_ = validate({"rows": ROWS, "freeu": {"on": True, **factors}})
        back, _ = read(png(tmp_path, parameters=parameters_text(open_)))
        assert back.freeu == open_.freeu
    open_ = validate({"rows": ROWS, "freeu": {"on": True, "b1": 1.3}})
    found = [one.split(":")[0] for one in unsaid(open_) if "freeu" in one]
    assert found == ["freeu.on"] * 2
    assert "b2, s1, s2 are left out" in unsaid(open_)[-1]
    off = validate({"rows": ROWS, "freeu": {"b1": 1.3}})
    assert "freeu" not in parameters_text(off) and not [o for o in unsaid(off) if "freeu" in o]
