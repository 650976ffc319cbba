"""Units of extensions: ADetailer's and ControlNet's, read, switched off, or named."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from studio import images
from studio.errors import StudioError
from studio.preset import Detail, Preset
from tests.support.webui import as_base64
from tests.ui.webui.conftest import Read

FACE = {"ad_model": "face_yolov8n.pt"}
DETECTOR = "ADetailer model 'face_yolov8n.pt': here another detector looks for face"
BLUE = as_base64(Image.new("RGB", (32, 32), "blue"))
RED = as_base64(Image.new("RGB", (32, 32), "red"))
START = {"init_images": [BLUE], "denoising_strength": 0.5}
EDGES = {"module": "canny", "model": "base/guide"}


def of_detailer(read: Read, *args: Any, **more: Any) -> tuple[Preset, list[str]]:
    return read(**more, alwayson_scripts={"ADetailer": {"args": list(args)}})


def of_control(read: Read, *args: Any, **more: Any) -> tuple[Preset, list[str]]:
    return read(**more, alwayson_scripts={"controlnet": {"args": list(args)}})


def test_what_a_unit_leaves_out_is_as_there(read: Read) -> None:
    preset, notes = of_detailer(read, FACE)
    assert preset.detail == Detail(finder="faces", grow=2, most=16)
    assert notes == [DETECTOR]


def test_zeros_are_zeros(read: Read) -> None:
    unit = {"ad_dilate_erode": 0, "ad_inpaint_only_masked_padding": 0, "ad_mask_k_largest": 0}
    detail = of_detailer(read, {**FACE, **unit})[0].detail
    assert (detail.grow, detail.padding, detail.most) == (0, 0, 16)
    assert of_detailer(read, {**FACE, "ad_mask_k": 2})[0].detail.most == 2


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ({"ad_negative_prompt": "blurry"}, "ADetailer negative prompt 'blurry'"),
        ({"ad_mask_blur": 12}, "ADetailer mask blur 12"),
        ({"ad_x_offset": 4}, "ADetailer x offset 4"),
        ({"ad_mask_min_ratio": 0.1}, "ADetailer mask min ratio 0.1"),
        ({"ad_mask_merge_invert": "Merge"}, "ADetailer mask merge invert 'Merge'"),
        ({"ad_use_steps": True, "ad_steps": 9}, "ADetailer steps 9"),
        ({"ad_use_sampler": True, "ad_sampler": "DDIM"}, "ADetailer sampler 'DDIM'"),
        ({"ad_restore_face": True}, "ADetailer restore face 'True'"),
        ({"ad_controlnet_model": "x"}, "ADetailer controlnet model 'x'"),
        ({"ad_unheard_of": 3}, "ADetailer unheard of 3"),
        ({"ad_inpaint_only_masked": False}, "ADetailer inpaint only masked False"),
    ],
    ids=str,
)
def test_what_a_unit_says_besides_is_named(read: Read, unit: dict[str, Any], words: str) -> None:
    preset, notes = of_detailer(read, {**FACE, **unit})
    assert preset.detail.on and words in " · ".join(notes)


def test_what_a_unit_s_defaults_say_is_nothing(read: Read) -> None:
    unit = {
        "ad_prompt": "",
        "ad_negative_prompt": "",
        "ad_confidence": 0.3,
        "ad_mask_k": 0,
        "ad_mask_min_ratio": 0.0,
        "ad_mask_max_ratio": 1.0,
        "ad_x_offset": 0,
        "ad_mask_blur": 4,
        "ad_mask_merge_invert": "None",
        "ad_inpaint_only_masked": True,
        "ad_steps": 28,
        "ad_use_steps": False,
        "ad_cfg_scale": 7.0,
        "ad_sampler": "DPM++ 2M Karras",
        "ad_inpaint_width": 512,
        "ad_clip_skip": 1,
        "ad_controlnet_model": "None",
        "ad_controlnet_weight": 1.0,
        "ad_restore_face": False,
        "ad_vae": None,
        "is_api": [],
    }
    assert of_detailer(read, {**FACE, **unit})[1] == [DETECTOR]


def test_further_units_are_named(read: Read) -> None:
    preset, notes = of_detailer(read, FACE, {"ad_model": "hand_yolov8n.pt", "ad_prompt": "a hand"})
    assert preset.detail.finder == "faces"
    assert "ADetailer model 2nd 'hand_yolov8n.pt'" in notes[-1] and "'a hand'" in notes[-1]


@pytest.mark.parametrize(
    ("args", "start", "on"),
    [
        ([True, FACE], False, True),
        ([False, FACE], False, False),
        ([True, True, FACE], False, True),
        ([True, False, FACE], True, True),
        ([True, True, FACE], True, False),
        ([{**FACE, "ad_tab_enable": False}], False, False),
        ([{"ad_model": "None"}], False, False),
        ([{"ad_model": "None"}, FACE], False, True),
    ],
    ids=str,
)
def test_one_that_is_switched_off_does_not_run(
    read: Read, args: list[Any], start: bool, on: bool
) -> None:
    preset, _ = of_detailer(read, *args, start=start, **(START if start else {}))
    assert preset.detail.on is on


def test_one_that_cannot_be_takes_nothing_else_with_it(read: Read) -> None:
    preset, notes = of_detailer(read, {**FACE, "ad_denoising_strength": 0.3}, steps=2)
    assert not preset.detail.on and "no part is made again" in " · ".join(notes)
    mask = as_base64(Image.new("L", (32, 32), 255))
    preset, notes = of_detailer(read, FACE, start=True, **START, mask=mask)
    assert preset.init is not None and preset.init.mask and not preset.detail.on
    assert notes == ["ADetailer is left out: it would paint what the mask keeps"]


@pytest.mark.parametrize("name", ["ADetailer", "controlnet"])
@pytest.mark.parametrize("args", [3, {"0": FACE}, ["unit"], [[FACE]]], ids=str)
def test_units_that_are_given_otherwise_are_refused(read: Read, name: str, args: Any) -> None:
    with pytest.raises(StudioError) as caught:
        read(alwayson_scripts={name: {"args": args}})
    assert caught.value.field == f"alwayson_scripts.{name}.args"


def test_a_control_s_picture_is_its_own_or_the_start(read: Read) -> None:
    preset, notes = of_control(read, {**EDGES, "image": RED})
    controls = [row.control for row in preset.rows if row.control]
    assert notes == []
    assert images.resolve(controls[0].image).convert("RGB").getpixel((0, 0)) == (255, 0, 0)
    preset, _ = of_control(read, EDGES, start=True, **START)
    controls = [row.control for row in preset.rows if row.control]
    assert images.resolve(controls[0].image).convert("RGB").getpixel((0, 0)) == (0, 0, 255)
    with pytest.raises(StudioError) as caught:
        of_control(read, EDGES)
    assert caught.value.field == "controlnet.image"
    assert "ControlNet 0 has no picture" in str(caught.value)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ({}, ""),
        ({"control_mode": 0, "resize_mode": 1, "processor_res": 512, "threshold_a": -1}, ""),
        ({"control_mode": "Balanced", "pixel_perfect": False, "save_detected_map": True}, ""),
        ({"lowvram": True, "hr_option": "Both", "guidance_start": 0.0, "mask": None}, ""),
        ({"control_mode": 2}, "control mode 'ControlNet is more important'"),
        ({"resize_mode": "Resize and Fill"}, "resize mode 'Resize and Fill'"),
        ({"pixel_perfect": True, "resize_mode": 0}, ""),
        ({"processor_res": 768}, "processor res '768'"),
        ({"threshold_a": 100, "threshold_b": 150}, ""),
        ({"threshold_a": 10000}, "threshold a '10000'"),
        ({"mask": RED}, "mask 'a picture'"),
        ({"image": {"image": RED, "mask": RED}}, "mask 'a picture'"),
        ({"unheard_of": 3}, "unheard of 3"),
    ],
    ids=str,
)
def test_what_a_control_says_besides_is_named(read: Read, unit: dict[str, Any], words: str) -> None:
    _, notes = of_control(read, {**EDGES, "image": RED, **unit})
    assert notes == ([f"ControlNet 0: {words} is not carried over"] if words else [])


def test_a_preprocessor_that_is_not_here_is_named(read: Read) -> None:
    _, notes = of_control(read, {**EDGES, "image": RED, "module": "magic"})
    assert notes == ["ControlNet module 'magic' is not here; the picture is taken as its map"]


def test_a_detector_that_is_not_known_is_named_alone(read: Read) -> None:
    preset, notes = of_detailer(read, {"ad_model": "cars.pt"})
    assert not preset.detail.on and notes == ["ADetailer model 'cars.pt' is not carried over"]
    with pytest.raises(StudioError, match="expected text"):
        of_detailer(read, {**FACE, "ad_prompt": ["x"]})


def test_a_control_of_no_weight_has_none(read: Read) -> None:
    preset, _ = of_control(read, {**EDGES, "image": RED, "weight": 0, "guidance_end": "0.5"})
    control = next(row.control for row in preset.rows if row.control)
    assert control.strength == 0.0
