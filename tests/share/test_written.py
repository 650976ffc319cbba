"""What is written in a picture, to be read before it is taken over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import BadPreset, MissingFile, NoPreset
from studio.preset import Preset, Row
from studio.share import save_image, written_in
from studio.share.lighter import lighter
from tests.support.other_tools import photo, png
from tests.support.tool_samples import INVOKE, LABELS, SWARM, UNICODE

A1111 = (
    "a cat\nNegative prompt: bad\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 42, Size: 64x64"
)


def test_a_text_is_shown_as_its_tool_wrote_it(tmp_path: Path) -> None:
    assert written_in(png(tmp_path, parameters=A1111)) == A1111
    comment = UNICODE + A1111.encode("utf-16-be")
    assert written_in(photo(tmp_path, comment)) == A1111


def test_json_has_a_line_for_each_value(tmp_path: Path) -> None:
    swarm = {"sui_image_params": SWARM}
    shown = written_in(png(tmp_path, parameters=json.dumps(swarm)))
    assert json.loads(shown) == swarm and '  "seed": 42,' in shown.splitlines()
    graph = {"3": {"class_type": "KSampler", "inputs": {"seed": 5}}}
    assert json.loads(written_in(png(tmp_path, prompt=json.dumps(graph)))) == graph
    invoke = png(tmp_path, invokeai_metadata=json.dumps(INVOKE))
    assert json.loads(written_in(invoke)) == INVOKE


def test_what_is_in_no_one_text_is_told_as_other_tools_read_it(tmp_path: Path) -> None:
    shown = written_in(png(tmp_path, LABELS))
    assert shown.startswith("a cat\nNegative prompt: bad\nSteps: 20, ") and "Seed: 42" in shown


def test_a_picture_of_the_studio_s_own_and_its_jpeg(tmp_path: Path) -> None:
    preset = Preset(rows=(Row(prompt="a tree", weight=5),))
    path = save_image(Image.new("RGB", (64, 64)), preset, tmp_path)
    small = tmp_path / "own.jpg"
    small.write_bytes(lighter(path).data)
    shown = written_in(path)
    assert shown.startswith("a tree\nSteps: ") and "Guidance Studio: " not in shown
    assert written_in(small) == shown


def test_a_photograph_and_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(NoPreset, match="carries no preset"):
        written_in(png(tmp_path))
    (tmp_path / "not.png").write_text("not a picture")
    with pytest.raises(BadPreset, match=r"not\.png"):
        written_in(tmp_path / "not.png")
    with pytest.raises(MissingFile):
        written_in(tmp_path / "gone.png")


def test_a_text_of_any_length_is_bounded(tmp_path: Path) -> None:
    assert len(written_in(png(tmp_path, parameters="a " * 100_000))) == 100_002
