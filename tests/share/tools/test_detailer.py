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
        grow=3,  # half of its kernel
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


@pytest.mark.parametrize("prompt", ['"q"', " a face ", "[a|b]", 'a\nNegative prompt: "x"', "{a}"])
def test_a_part_s_prompt_is_read_again_letter_by_letter(tmp_path: Path, prompt: str) -> None:
    detail = {"finder": "faces", "prompt": prompt}
    asked = validate({"rows": [{"prompt": "a cat", "weight": 7.0}], "detail": detail})
    preset, _ = read(png(tmp_path, parameters=parameters_text(asked, (64, 64))))
    assert preset.detail.prompt == " ".join(prompt.split())
    assert rows(preset) == [("a cat", 7.0)]


def test_a_line_within_a_part_s_prompt_is_none_of_the_picture_s(tmp_path: Path) -> None:
    more = ', ADetailer model: face_yolov8n.pt, ADetailer prompt: "a\\nNegative prompt: x"'
    preset, _ = of_a1111(tmp_path, more)
    assert rows(preset) == PLAIN and preset.detail.prompt == "a Negative prompt: x"


def test_parts_without_a_step_to_run_leave_the_picture_as_it_is(tmp_path: Path) -> None:
    more = ", ADetailer model: face_yolov8n.pt, ADetailer denoising strength: 0.04"
    preset, notes = of_a1111(tmp_path, more)
    assert rows(preset) == PLAIN and not preset.detail.on
    assert "no part is made again: detail.strength: 0.04 of 20 steps leaves none to run" in notes


def test_no_parts_at_most_are_all_of_them(tmp_path: Path) -> None:
    more = ", ADetailer model: face_yolov8n.pt, ADetailer mask only top k largest: 0"
    assert of_a1111(tmp_path, more)[0].detail.most == 16


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("face_yolov8n.pt", "face"),
        ("mediapipe_face_full", "face"),
        ("mediapipe_face_mesh_eyes_only", "eye"),
        ("full_eyes_detect_v1.pt", "eye"),
        ("hands-v2.pt", "hand"),
        ("wheelchair.pt", ""),
        ("surface.pt", ""),
    ],
)
def test_a_detector_is_known_by_a_whole_word_of_its_name(
    tmp_path: Path, model: str, words: str
) -> None:
    found = of_a1111(tmp_path, f", ADetailer model: {model}")[0].detail
    assert ("face" if found.finder == "faces" else found.words) == words


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


@pytest.mark.parametrize(
    "tags",
    [
        "<segment:face,0.04>",
        f"<segment:{'a' * 250}>",
        "".join(f"<segment:thing number {n}>" for n in range(30)),
    ],
    ids=["steps", "long", "many"],
)
def test_a_segment_that_cannot_be_takes_nothing_else_with_it(tmp_path: Path, tags: str) -> None:
    preset, notes = of_swarm(tmp_path, tags)
    assert rows(preset) == PLAIN and len(preset.detail.words) <= 200
    assert "is not carried over" in notes or "no part is made again" in notes


def test_tags_within_a_part_s_text_are_read_as_the_prompt_s(tmp_path: Path) -> None:
    tags = "<segment:face> a <fromto[0.5]:red,blue> face <random:x,y> <embed:soft>"
    preset, notes = of_swarm(tmp_path, tags)
    assert preset.detail.prompt == "a [red:blue:0.5] face"
    assert "detail.prompt: <random:x,y> is not carried over" in notes
    assert (
        "detail.prompt: embedding:soft is left out; a later pass has the rows' embeddings" in notes
    )


@pytest.mark.parametrize(
    ("what", "words", "note"),
    [
        ("yolo-face_yolov8m.pt", "face", "here another detector looks for face"),
        ("yolo-face_yolov8m.pt-2", "face", "looks for face; '-2' is left out"),
        ("yolo-hand.pt:left", "hand", "looks for hand; ':left' is left out"),
        ("yolo-chair.pt", "", "<segment:yolo-chair.pt> is not carried over"),
        ("-face", "", "<segment:-face> is not carried over"),
    ],
)
def test_a_segment_s_detector_is_known_or_named(
    tmp_path: Path, what: str, words: str, note: str
) -> None:
    preset, notes = of_swarm(tmp_path, f"<segment:{what}>")
    assert preset.detail.words == words and note in notes
