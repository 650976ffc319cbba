"""Edges that meet, as other tools say it, and what the studio says of them to others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.preset import validate
from studio.share.parameters import parameters_text
from studio.share.unsaid import unsaid
from tests.share.tools.test_clip_layers import opened
from tests.share.tools.test_every_field import with_value
from tests.support import tool_examples
from tests.support.other_tools import png, read

ROWS = [{"prompt": "a cat", "weight": 4.0}]


@pytest.mark.parametrize(
    ("tool", "given", "expected"),
    [
        ("AUTOMATIC1111", {"Tiling": "True"}, "both"),
        ("Easy Diffusion", {"tiling": "xy"}, "both"),
        ("Easy Diffusion", {"tiling": "y"}, "y"),
        ("Easy Diffusion", {"tiling": "none"}, "off"),
        ("InvokeAI", {"seamless_x": True, "seamless_y": True}, "both"),
        ("InvokeAI", {"seamless_x": True}, "x"),
        ("InvokeAI", {"seamless_y": False}, "off"),
        ("SwarmUI", {"seamlesstileable": "true"}, "both"),
        ("SwarmUI", {"seamlesstileable": "Y-Only"}, "y"),
        ("SwarmUI", {"seamlesstileable": "false"}, "off"),
    ],
)
def test_what_each_tool_says(tool: str, given: dict[str, Any], expected: str) -> None:
    data, write = tool_examples.BASES[tool]
    for place, value in given.items():
        data = with_value(data, place, value)
    preset, notes = opened(write(data))
    assert preset.seamless == expected
    assert not any(place in notes for place in given)


def test_on_a_base_whose_edges_cannot_meet_it_is_named() -> None:
    data, write = tool_examples.BASES["SwarmUI"]
    preset, notes = opened(write(with_value(data, "seamlesstileable", "true")), family="sana")
    assert preset.seamless == "off"
    assert "seamless: both is left out; no edges can meet on SANA" in notes


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("AUTOMATIC1111", {"Tiling": "True", "ADetailer model": "face_yolov8n.pt"}),
        (
            "SwarmUI",
            {
                "seamlesstileable": "true",
                "refinerupscale": 2,
                "refinercontrolpercentage": 0.4,
                "refinerdotiling": True,
            },
        ),
    ],
)
def test_of_a_picture_made_in_parts_it_is_named_and_the_rest_is_read(
    tool: str, given: dict[str, Any]
) -> None:
    data, write = tool_examples.BASES[tool]
    for place, value in given.items():
        data = with_value(data, place, value)
    preset, notes = opened(write(data))
    assert preset.seamless == "off" and preset.rows
    assert preset.detail.on or preset.second_pass.tiles
    assert "seamless: both is left out; the edges of a picture that is made in tiles" in notes


def test_there_and_back(tmp_path: Path) -> None:
    both = validate({"rows": ROWS, "seamless": "both"})
    back, _ = read(png(tmp_path, parameters=parameters_text(both)))
    assert back.seamless == "both" and not [one for one in unsaid(both) if "seamless" in one]
    one = validate({"rows": ROWS, "seamless": "x"})
    assert "Tiling" not in parameters_text(one)
    assert [said for said in unsaid(one) if said.startswith("seamless: left out")]
