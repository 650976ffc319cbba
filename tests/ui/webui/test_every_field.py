"""Each field of the web UI's schemas is read, says nothing, or is named."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.schedulers import SCHEDULERS
from studio.ui.webui import lists
from tests.support.webui import as_base64
from tests.ui.webui.conftest import Read

# Fields of its two schemas by what they are there when a client says nothing.
BOTH: dict[str, Any] = {
    "prompt": "",
    "negative_prompt": "",
    "styles": None,
    "seed": -1,
    "subseed": -1,
    "subseed_strength": 0,
    "seed_resize_from_h": -1,
    "seed_resize_from_w": -1,
    "sampler_name": None,
    "scheduler": None,
    "batch_size": 1,
    "n_iter": 1,
    "steps": 50,
    "cfg_scale": 7.0,
    "width": 512,
    "height": 512,
    "restore_faces": None,
    "tiling": None,
    "do_not_save_samples": False,
    "do_not_save_grid": False,
    "eta": None,
    "denoising_strength": None,
    "s_min_uncond": None,
    "s_churn": None,
    "s_tmax": None,
    "s_tmin": None,
    "s_noise": None,
    "override_settings": None,
    "override_settings_restore_afterwards": True,
    "refiner_checkpoint": None,
    "refiner_switch_at": None,
    "disable_extra_networks": False,
    "firstpass_image": None,
    "comments": None,
    "force_task_id": None,
    "sampler_index": "Euler",
    "script_name": None,
    "script_args": [],
    "send_images": True,
    "save_images": False,
    "alwayson_scripts": {},
    "infotext": None,
}
TEXT: dict[str, Any] = {
    "enable_hr": False,
    "firstphase_width": 0,
    "firstphase_height": 0,
    "hr_scale": 2.0,
    "hr_upscaler": None,
    "hr_second_pass_steps": 0,
    "hr_resize_x": 0,
    "hr_resize_y": 0,
    "hr_checkpoint_name": None,
    "hr_sampler_name": None,
    "hr_scheduler": None,
    "hr_prompt": "",
    "hr_negative_prompt": "",
}
PICTURE: dict[str, Any] = {
    "resize_mode": 0,
    "image_cfg_scale": None,
    "mask": None,
    "mask_blur_x": 4,
    "mask_blur_y": 4,
    "mask_blur": None,
    "mask_round": True,
    "inpainting_fill": 0,
    "inpaint_full_res": True,
    "inpaint_full_res_padding": 0,
    "inpainting_mask_invert": 0,
    "initial_noise_multiplier": None,
    "latent_mask": None,
    "include_init_images": False,
}
START = {"init_images": [as_base64(Image.new("RGB", (32, 32), "blue"))], "denoising_strength": 0.5}


def test_the_defaults_say_nothing(read: Read) -> None:
    for names in (BOTH, {**BOTH, **TEXT}):
        assert read(**{**names, "prompt": "a cat"})[1] == []
    assert read(start=True, **{**BOTH, **PICTURE, **START, "prompt": "a cat"})[1] == []
    sampled = {"s_churn": 0.0, "s_tmin": 0.0, "s_noise": 1.0, "s_min_uncond": 0, "eta": 0.0}
    assert read(**sampled)[1] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("restore_faces", True),
        ("s_churn", 0.5),
        ("s_noise", 1.1),
        ("disable_extra_networks", True),
        ("firstpass_image", "AAAA"),
        ("firstphase_width", 64),
        ("seed_resize_from_w", 64),
        ("script_args", [1]),
        ("infotext", "Steps: 3"),
        ("hr_unheard_of", 3),
        ("unheard_of", 3),
    ],
)
def test_a_field_of_text_to_picture_without_a_place_is_named(
    read: Read, name: str, value: Any
) -> None:
    _, notes = read(**{"enable_hr": True, "hr_upscaler": "Lanczos", name: value})
    assert notes == [f"{name} is not carried over"]


def test_a_refiner_is_taken_or_named(read: Read) -> None:
    gone = "the refiner 'x' (0.8) is not in the library; the base finishes the picture"
    assert read(refiner_checkpoint="x", refiner_switch_at=0.8)[1] == [gone]
    again = read(refiner_checkpoint="x", enable_hr=True, hr_upscaler="Lanczos")[1]
    assert len(again) == 1 and "Refiner 'x'" in again[0]


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("latent_mask", "AAAA", "latent_mask is not carried over"),
        ("initial_noise_multiplier", 0.5, "initial_noise_multiplier is not carried over"),
        ("image_cfg_scale", 1.5, "image_cfg_scale is not carried over"),
        ("enable_hr", True, "enable_hr is not carried over"),
        ("mask_round", False, "mask_round is not carried over"),
        ("mask_blur_y", 9, "mask_blur_y is not carried over"),
        ("mask_blur", 100, "mask_blur: 100 became 64"),
        ("resize_mode", 2, "resize_mode: the picture's middle is taken"),
        ("init_images", START["init_images"] * 2, "init_images: the first is taken"),
    ],
)
def test_a_field_of_picture_to_picture_without_a_place_is_named(
    read: Read, name: str, value: Any, note: str
) -> None:
    mask = as_base64(Image.new("L", (32, 32), 255))
    assert read(start=True, **{**START, "mask": mask, name: value})[1] == [note]


def test_options_and_scripts_without_a_place_are_named_and_none_goes_silently(read: Read) -> None:
    body = {"override_settings": {"eta_noise_seed_delta": 3, "sd_vae": None}}
    assert read(**body)[1] == ["override_settings.eta_noise_seed_delta is not carried over"]
    many = {f"field_{n}": "x" for n in range(50)}
    assert len(read(**many)[1]) == 41
    assert read(**many)[1][-1] == "10 further fields are not carried over"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", [1]),
        ("steps", True),
        ("cfg_scale", {}),
        ("cfg_scale", 5000),
        ("sampler_name", 3),
        ("sampler_name", ["a"]),
        ("scheduler", ["a"]),
        ("prompt", 0),
        ("styles", 3),
        ("styles", "abc"),
        ("styles", [3]),
        ("denoising_strength", "much"),
        ("tiling", "perhaps"),
        ("seed", 2**53),
        ("seed", 10**30),
        ("subseed_strength", 2),
        ("width", "wide"),
        ("batch_size", 1.5),
    ],
    ids=str,
)
def test_a_value_that_cannot_be_is_refused_by_its_field(read: Read, field: str, value: Any) -> None:
    with pytest.raises(StudioError) as caught:
        read(**{"enable_hr": True, field: value})
    assert caught.value.field == field


def test_numbers_may_come_as_text_and_sides_as_the_base_can_make_them(read: Read) -> None:
    texts = {"seed": "5", "steps": "12", "cfg_scale": "6.5", "width": "64", "batch_size": "2"}
    preset, notes = read(**texts, denoising_strength=None)
    sampler = preset.sampler
    assert (sampler.seed, sampler.steps, sampler.width, sampler.count) == (5, 12, 64, 2)
    assert [row.weight for row in preset.rows] == [6.5] and notes == []
    preset, notes = read(width=67, height=64)
    assert preset.sampler.width is not None and preset.sampler.width < 67
    assert len(notes) == 1 and notes[0].startswith("width: 67 became ")


def test_the_last_seed_of_a_batch_can_be_one(read: Read) -> None:
    with pytest.raises(StudioError, match="at most 9007199254740990"):
        read(seed=2**53 - 1, batch_size=2)
    assert read(seed=2**53 - 1)[0].sampler.seed == 2**53 - 1


def test_every_sampler_and_schedule_that_is_listed_is_taken_as_it_is(read: Read) -> None:
    for one in lists.samplers():
        for name in (one["name"], *one["aliases"]):
            steps = {"steps": 8}
            preset, notes = read(**steps, sampler_name=name)
            assert (preset.sampler.scheduler, notes) == (one["aliases"][0], []), name
    assert {one["aliases"][0] for one in lists.samplers()} == set(SCHEDULERS)
    for one in lists.schedules():
        for name in (one["name"], one["label"]):
            preset, notes = read(sampler_name="DPM++ 2M", scheduler=name)
            assert notes == [] or "takes no noise schedule" in notes[0]
            assert preset.sampler.schedule == one["name"] or notes
    assert len(lists.schedules()) == len(NOISE_SCHEDULES)


def test_a_second_pass_to_a_size_of_the_same_ratio_is_its_scale(read: Read) -> None:
    body = {"enable_hr": True, "hr_upscaler": "Lanczos", "denoising_strength": 0.5}
    sized = {"width": 64, "height": 32, "hr_resize_x": 128, "hr_resize_y": 64}
    preset, notes = read(**body, **sized)
    assert preset.second_pass.scale == 2.0 and notes == []
    assert read(**body, **{**sized, "hr_resize_y": 0})[0].second_pass.scale == 2.0
    preset, notes = read(**body, **{**sized, "hr_resize_y": 128})
    assert not preset.second_pass.on and "a second pass is not carried over" in notes[0]
    preset, notes = read(enable_hr=True, hr_upscaler="Latent", denoising_strength=0)
    assert (preset.second_pass.enlarge, preset.second_pass.strength) == ("pixels", 0.0)
    assert notes == ["Hires upscaler Latent: at strength 0 its pixels are enlarged here"]
