"""InvokeAI's metadata of each version: values in the preset, the rest named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.other_tools import PLAIN, png, read, rows
from tests.support.tool_samples import INVOKE


def invoke(folder: Path, **more: Any) -> Path:
    return png(folder, invokeai_metadata=json.dumps(INVOKE | more))


def test_invokeai(tmp_path: Path) -> None:
    preset, notes = read(invoke(tmp_path))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    assert (preset.sampler.width, preset.sampler.height) == (64, 96)
    assert preset.guidance_rescale == 0.5
    assert notes.splitlines()[1:] == ["made at 64x96; the picture has 64x64 pixels"]


CONTROL = {
    "image": {"image_name": "house.png"},
    "control_model": {"name": "canny15"},
    "control_weight": 0.6,
    "begin_step_percent": 0.0,
    "end_step_percent": 0.5,
    "processor": "canny_image_processor",
}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"clip_skip": 25}, "clip_skip 25"),
        ({"strength": 0.4, "init_image": "a.png", "generation_mode": "img2img"}, "strength 0.4"),
        ({"init_image": "a.png"}, "image to image is not carried over (a.png)"),
        ({"positive_style_prompt": "ink"}, "positive_style_prompt 'ink' is read as part"),
        (
            {"controlnets": [CONTROL]},
            "the ControlNet 'canny15' (canny_image_processor, strength 0.6",
        ),
        (
            {"ipAdapters": [{"ip_adapter_model": {"name": "ip"}, "weight": 1}]},
            "the IP-Adapter 'ip' (strength 1",
        ),
        (
            {"t2iAdapters": [{"t2i_adapter_model": {"name": "t2"}}]},
            "the T2I-Adapter 't2' (strength 1",
        ),
        ({"vae": {"name": "ema"}}, "vae: 'ema' is not in the library"),
        ({"seamless_x": "left"}, "seamless_x 'left'"),
        ({"hrf_enabled": True, "hrf_strength": 0.4}, "hrf_strength 0.4"),
        ({"refiner_model": {"name": "xl"}, "refiner_steps": 9}, "refiner_steps 9"),
        ({"rand_device": "mps"}, "rand_device 'mps'"),
        ({"unheard_of": 1}, "unheard_of 1"),
    ],
    ids=str,
)
def test_invokeai_s_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    preset, notes = read(invoke(tmp_path, **more))
    assert words in notes and preset.rows[0].prompt.startswith("a cat")


def test_invokeai_s_control_that_is_here(tmp_path: Path) -> None:
    preset, notes = read(invoke(tmp_path, controlnets=[CONTROL]), ("mymodel", "canny15"))
    first = preset.rows[0]
    assert first.control and (first.control.type, first.control.strength) == ("canny", 0.6)
    assert first.range == (0.0, 0.5) and "'house.png'" in notes


def test_invokeai_s_first_versions(tmp_path: Path) -> None:
    dream = '"a cat [bad]" -s 20 -S 42 -W 64 -H 96 -C 7.0 -A k_euler_a'
    preset, notes = read(png(tmp_path, Dream=dream))
    assert rows(preset) == PLAIN
    assert (preset.sampler.steps, preset.sampler.seed) == (20, 42)
    image = {
        "prompt": [{"prompt": "a cat [bad]", "weight": 1.0}],
        "steps": 20,
        "cfg_scale": 7.0,
        "seed": 42,
        "sampler": "k_euler_a",
        "width": 64,
        "height": 96,
        "hires_fix": True,
    }
    data = {"model_weights": "mymodel", "model": "stable diffusion", "image": image}
    preset, notes = read(png(tmp_path, {"sd-metadata": json.dumps(data), "Dream": dream}))
    assert rows(preset) == PLAIN and "hires_fix True" in notes
