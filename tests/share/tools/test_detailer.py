"""Detailers of A1111 and SwarmUI as a detail pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.preset import Detail, validate
from studio.share.parameters import parameters_text
from tests.support.other_tools import PLAIN, a1111, png, read, rows
from tests.support.tool_samples import SWARM, written

FACE = (
    ", ADetailer model: face_yolov8n.pt, "
    'ADetailer prompt: "a (red:1.3) face, Steps: 3, Seed: 9, Model: other <lora:ink:0.5>", '
    "ADetailer confidence: 0.3, ADetailer dilate erode: 6, ADetailer mask blur: 4, "
    "ADetailer denoising strength: 0.35, ADetailer inpaint only masked: True, "
    "ADetailer inpaint padding: 24, ADetailer version: 24.4.2"
)


def of_a1111(tmp_path: Path, more: str) -> tuple[Any, str]:
    return read(png(tmp_path, parameters=a1111(more=more)))


def test_adetailer_becomes_a_detail_pass_and_changes_nothing_else(tmp_path: Path) -> None:
    preset, notes = of_a1111(tmp_path, FACE)
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    assert (preset.sampler.steps, preset.sampler.seed) == (20, 42)
    assert preset.detail == Detail(
        finder="faces",
        prompt="a (red:1.3) face, Steps: 3, Seed: 9, Model: other",
        strength=0.35,
        grow=6,
        padding=24,
    )
    assert "ADetailer model 'face_yolov8n.pt': here another detector looks for face" in notes
    assert "detail.prompt: <lora:ink:0.5> is left out" in notes
    assert "not carried over" not in notes


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("ADetailer negative prompt: blurry", "ADetailer negative prompt 'blurry'"),
        ("ADetailer model 2nd: hand_yolov8n.pt", "ADetailer model 2nd 'hand_yolov8n.pt'"),
        ("ADetailer denoising strength: 2", "ADetailer denoising strength '2'"),
        ("ADetailer dilate erode: -8", "ADetailer dilate erode '-8'"),
        (
            "ADetailer inpaint only masked: False",
            "ADetailer inpaint only masked False: here a part is made at the full size",
        ),
        ("ADetailer use separate steps: True", "ADetailer use separate steps 'True'"),
        ("ADetailer prompt: a [SEP] b", "ADetailer prompt 'a [SEP] b'"),
    ],
)
def test_what_a_detail_pass_has_no_place_for_is_named(
    tmp_path: Path, more: str, words: str
) -> None:
    preset, notes = of_a1111(tmp_path, f", ADetailer model: face_yolov8n.pt, {more}")
    assert preset.detail == Detail(finder="faces")
    assert words in notes


def test_another_detector_is_looked_for_by_its_word_or_named(tmp_path: Path) -> None:
    preset, _ = of_a1111(tmp_path, ", ADetailer model: hand_yolov8n.pt")
    assert preset.detail == Detail(finder="words", words="hand")
    preset, notes = of_a1111(tmp_path, ", ADetailer model: cars.pt, ADetailer confidence: 0.3")
    assert not preset.detail.on
    assert "ADetailer model 'cars.pt'" in notes and "confidence '0.3'" in notes


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    detail = {"finder": "faces", "prompt": "a, face", "strength": 0.3, "most": 2, "grow": 0}
    asked = validate({"rows": [{"prompt": "a cat", "weight": 7.0}], "detail": detail})
    text = parameters_text(asked, (64, 64))
    assert "ADetailer model: face_yolov8n.pt" in text
    preset, _ = read(png(tmp_path, parameters=text))
    assert preset.detail == asked.detail


def of_swarm(tmp_path: Path, tags: str) -> tuple[Any, str]:
    more = {"prompt": f"a cat {tags}"}
    return read(written(tmp_path, {"sui_image_params": SWARM | more}, "png"))


def test_a_segment_becomes_a_detail_pass(tmp_path: Path) -> None:
    preset, notes = of_swarm(tmp_path, "<segment:face | hair,0.3,0.4> a (smiling:1.2) face")
    assert rows(preset) == PLAIN
    assert preset.detail == Detail(
        finder="words",
        words="face, hair",
        prompt="a (smiling:1.2) face",
        strength=0.3,
        confidence=0.4,
    )
    assert "not carried over" not in notes
    preset, _ = of_swarm(tmp_path, "<segment:yolo-face_yolov8m-seg.pt-1>")
    assert preset.detail == Detail(finder="words", words="face", strength=0.6, confidence=0.5)


def test_segments_that_say_the_same_are_one_and_others_are_named(tmp_path: Path) -> None:
    preset, notes = of_swarm(tmp_path, "<segment:face> <segment:hand> <segment:eye,0.2> green")
    assert preset.detail.words == "face, hand" and preset.detail.strength == 0.6
    assert "<segment:eye,0.2> 'green' is not carried over" in notes
