"""Requests of the web UI's interface as presets."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio")

from studio import images
from studio.errors import StudioError
from studio.library import Library
from studio.preset import Preset
from studio.preset.styles import save_style
from studio.ui.webui.asked import preset_of
from tests.support import tiny
from tests.support.studio_page import needs_starter


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("models")
    tiny.library(folder)
    return Library((folder,))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))


def read(
    library: Library, body: dict[str, Any], start: bool = False, **options: Any
) -> tuple[Preset, list[str]]:
    return preset_of(body, library, {"sd_model_checkpoint": "base", **options}, start)


def as_base64(image: Image.Image) -> str:
    return base64.b64encode(images.png_bytes(image)).decode()


def test_a_request_is_the_rows_and_settings_that_the_tool_s_picture_would_be(
    library: Library,
) -> None:
    body = {
        "prompt": "a (red:1.3) cat <lora:style:0.5>",
        "negative_prompt": "blurry",
        "cfg_scale": 6,
        "steps": 12,
        "seed": 7,
        "sampler_name": "DPM++ 2M",
        "scheduler": "Karras",
        "width": 64,
        "height": 32,
        "batch_size": 2,
        "n_iter": 3,
        "subseed": 9,
        "subseed_strength": 0.2,
        "tiling": True,
        "override_settings": {"CLIP_stop_at_last_layers": 2},
    }
    preset, notes = read(library, body)
    rows = [(row.prompt, row.weight) for row in preset.rows]
    assert rows == [("a (red:1.3) cat", 6.0), ("blurry", -5.0)]
    assert preset.rows[0].model.adapters() == [("base/style", 0.5)]  # type: ignore[union-attr]
    sampler = preset.sampler
    assert (sampler.scheduler, sampler.schedule) == ("dpm++", "karras")
    assert (sampler.steps, sampler.seed, sampler.count) == (12, 7, 6)
    assert (sampler.width, sampler.height) == (64, 32)
    assert (sampler.variation_seed, sampler.variation_strength) == (9, 0.2)
    assert (preset.base, preset.seamless, preset.clip_skip) == ("base", "both", 2)
    assert notes == []


def test_its_own_defaults_stand_where_a_client_says_nothing(library: Library) -> None:
    preset, _ = read(library, {"prompt": "a cat"})
    assert (preset.sampler.scheduler, preset.sampler.steps) == ("euler", 50)
    assert [row.weight for row in preset.rows] == [7.0]
    seeds = {read(library, {"prompt": "a cat", "seed": -1})[0].sampler.seed for _ in range(4)}
    assert len(seeds) > 1 and min(seeds) >= 0


def test_a_second_pass_a_detailer_and_styles_come_over(library: Library) -> None:
    save_style("ink", "{prompt}, in ink", "photo")
    body = {
        "prompt": "a cat",
        "steps": 20,
        "enable_hr": True,
        "hr_scale": 1.5,
        "hr_upscaler": "Latent",
        "denoising_strength": 0.6,
        "styles": ["ink"],
        "alwayson_scripts": {
            "ADetailer": {
                "args": [True, {"ad_model": "face_yolov8n.pt", "ad_denoising_strength": 0.3}]
            }
        },
    }
    preset, notes = read(library, body)
    again = preset.second_pass
    assert (again.scale, again.strength, again.enlarge) == (1.5, 0.6, "latents")
    assert (preset.detail.finder, preset.detail.strength) == ("faces", 0.3)
    assert [row.prompt for row in preset.rows] == ["a cat, in ink", "photo"]
    assert any("another detector" in note for note in notes)


def test_a_start_picture_is_stretched_and_painted_around_its_mask(library: Library) -> None:
    start = Image.new("RGB", (80, 40), "red")
    mask = Image.new("L", (40, 20))
    mask.paste(255, (0, 0, 20, 20))
    body = {
        "prompt": "a cat",
        "width": 32,
        "height": 32,
        "init_images": ["data:image/png;base64," + as_base64(start)],
        "denoising_strength": 0.5,
    }
    plain, _ = read(library, body, start=True)
    assert plain.init is not None and plain.init.strength == 0.5 and not plain.init.mask
    assert images.resolve(plain.init.image).size == (32, 32)
    body |= {"mask": as_base64(mask), "inpainting_fill": 3, "mask_blur": 6}
    body |= {"inpaint_full_res_padding": 8, "inpainting_mask_invert": 1}
    init = read(library, body, start=True)[0].init
    assert init is not None
    assert (init.area, init.padding, init.feather) == ("mask", 8, 6)
    assert init.under_mask == "nothing"
    assert images.resolve(init.image).size == (80, 40)
    stored = np.asarray(images.resolve_mask(init.mask).convert("L"))
    assert stored.shape == (40, 80) and stored[0, 0] == 0 and stored[0, 79] == 255
    whole = read(library, {**body, "inpaint_full_res": False}, start=True)[0].init
    assert whole is not None and whole.area == "picture"
    starts = [read(library, {**body, "inpainting_fill": n}, start=True)[0].init for n in range(3)]
    assert [one.under_mask for one in starts if one is not None] == [
        "surroundings",
        "picture",
        "noise",
    ]


@pytest.mark.parametrize("area", [True, False])
def test_soft_inpainting_is_a_switch_and_its_numbers_are_named(
    library: Library, area: bool
) -> None:
    start, mask = (as_base64(Image.new(mode, (32, 32), 128)) for mode in ("RGB", "L"))
    body = {"prompt": "a cat", "init_images": [start], "mask": mask, "inpaint_full_res": area}

    def found(*args: Any) -> tuple[bool, list[str]]:
        scripts = {"alwayson_scripts": {"Soft Inpainting": {"args": list(args)}}} if args else {}
        preset, notes = read(library, {**body, **scripts}, start=True)
        assert preset.init is not None
        return preset.init.soft_inpainting, [one for one in notes if "oft" in one]

    numbers = {"Schedule bias": 1, "Difference contrast": 2}
    on, notes = found(True, 1, 0.5, 4, 0, 0.5, 2)
    assert on and len(notes) == 1
    assert "schedule bias 1, preservation strength 0.5" in notes[0]
    assert "difference contrast 2" in notes[0]
    assert found({"Soft inpainting": True, **numbers})[0] and found(numbers)[0] and found(True)[0]
    assert "another rule" in found(True)[1][0] and "left out" not in found(True)[1][0]
    assert "left out: preservation strength 0.5, tran" in found(True, None, 0.5, 4)[1][0]
    assert "left out: strange 3" in found({"Enabled": True, "Strange": 3})[1][0]
    for off in (
        [],
        [None],
        [False, 1, 0.5],
        [{"enabled": False}],
        [{"Soft inpainting": False, **numbers}],
    ):
        assert found(*off) == (False, [])
    with pytest.raises(StudioError) as caught:
        found("maybe")
    assert caught.value.field.lower() == "soft inpainting"


def test_a_control_unit_brings_its_picture(library: Library) -> None:
    edges = as_base64(Image.new("RGB", (32, 32), "white"))
    unit = {"module": "canny", "model": "base/guide", "weight": 0.7, "guidance_end": 0.5}
    scripts = {"controlnet": {"args": [{**unit, "image": edges}, {"enabled": False}]}}
    preset, _ = read(library, {"prompt": "a cat", "alwayson_scripts": scripts})
    controls = [row.control for row in preset.rows if row.control]
    assert controls and controls[0].strength == 0.7 and controls[0].model == "base/guide"
    assert images.resolve(controls[0].image).size == (32, 32)


def test_control_units_that_end_at_different_steps_take_turns(library: Library) -> None:
    white, black = (as_base64(Image.new("RGB", (32, 32), one)) for one in ("white", "black"))
    unit = {"module": "canny", "model": "base/guide"}
    args = [
        {**unit, "image": white, "weight": 0.7, "guidance_end": 0.5},
        {**unit, "image": black, "weight": 0.4},
        {**unit, "model": "gone", "image": white},
    ]
    asked = {"prompt": "a cat", "alwayson_scripts": {"controlnet": {"args": args}}}
    preset, notes = read(library, asked)
    shown = [
        (
            row.range,
            [
                (one.strength, images.resolve(one.image).convert("L").getpixel((0, 0)))
                for one in row.all_controls.values()
            ],
        )
        for row in preset.rows
        if row.weight > 0
    ]
    assert shown == [((0.0, 0.5), [(0.7, 255), (0.4, 0)]), ((0.5, 1.0), [(0.4, 0)])]
    assert any("'gone'" in note and "not in the library" in note for note in notes)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"width": "wide"}, "width"),
        ({"prompt": ["a"]}, "prompt"),
        ({"seed": 1.5}, "seed"),
        ({"batch_size": 1000}, "sampler.count"),
        ({"styles": ["none such"]}, "styles"),
        ({"script_name": "x/y/z plot"}, "script_name"),
        ({"override_settings": {"sd_model_checkpoint": "nope"}}, "sd_model_checkpoint"),
        ({"override_settings": []}, ""),
        ({"alwayson_scripts": 3}, "alwayson_scripts"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_its_field(
    library: Library, body: dict[str, Any], field: str
) -> None:
    if not field:
        read(library, {"prompt": "a cat", **body})
        return
    with pytest.raises(StudioError) as caught:
        read(library, {"prompt": "a cat", **body})
    assert caught.value.field.startswith(field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "init_images"),
        ({"init_images": ["?"]}, "init_images"),
        ({"init_images": [3]}, "init_images"),
        ({"denoising_strength": 2.0}, "strength"),
        ({"mask": "AAAA"}, "mask"),
        ({"inpainting_fill": 7, "mask": ""}, ""),
    ],
    ids=str,
)
def test_a_start_that_cannot_be_is_refused(
    library: Library, body: dict[str, Any], field: str
) -> None:
    start = as_base64(Image.new("RGB", (16, 16)))
    asked = {"prompt": "a cat", **({"init_images": [start]} if body else {}), **body}
    if not field:
        read(library, asked, start=True)
        return
    with pytest.raises(StudioError) as caught:
        read(library, asked, start=True)
    assert field in caught.value.field


def test_what_has_no_place_here_is_named(library: Library) -> None:
    body = {"prompt": "a cat", "restore_faces": True, "s_churn": 0.5, "eta": 0.0}
    _, notes = read(library, {**body, "alwayson_scripts": {"Regional Prompter": {"args": []}}})
    assert notes == [
        "restore_faces is not carried over",
        "s_churn is not carried over",
        "alwayson_scripts.Regional Prompter is not carried over",
    ]


@needs_starter
def test_the_starter_s_automatic_autoencoder_is_the_fine_one() -> None:
    def vae(**options: Any) -> str:
        return preset_of({"prompt": "a cat"}, Library(), options, False)[0].vae

    assert vae() == vae(sd_vae="Automatic") == "starter/fine"
    assert vae(sd_vae="None") == ""
    assert vae(sd_model_checkpoint="starter-1") == ""


@needs_starter
def test_sides_and_a_second_pass_are_counted_by_the_autoencoder_that_decodes() -> None:
    def asked(**body: Any) -> tuple[Preset, list[str]]:
        return read(Library(), {"prompt": "a cat", **body}, sd_model_checkpoint="starter")

    preset, notes = asked(width=250, height=256)
    assert (preset.sampler.width, preset.sampler.height) == (240, 256)
    assert "width: 250 became 240, a multiple of 16" in notes
    preset, _ = asked(enable_hr=True, hr_scale=1.5)
    assert (preset.sampler.width or 256, preset.second_pass.scale) == (256, 1.5)
    preset, _ = asked(enable_hr=True, hr_resize_x=512)
    assert preset.second_pass.scale == 2
    named, _ = asked(enable_hr=True, hr_resize_x=512, override_settings={"sd_vae": "None"})
    assert named.second_pass.scale == 4
