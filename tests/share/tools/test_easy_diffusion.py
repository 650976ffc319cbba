"""Easy Diffusion's chunks and its JSON: values in the preset, the rest named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.other_tools import PLAIN, png, read, rows
from tests.support.tool_samples import EASY, LABELS, written


@pytest.mark.parametrize("data", [EASY, LABELS], ids=["names", "labels"])
@pytest.mark.parametrize("how", ["chunks", "jpg"])
def test_easy_diffusion(tmp_path: Path, data: dict[str, str], how: str) -> None:
    path = png(tmp_path, data) if how == "chunks" else written(tmp_path, data, how)
    preset, notes = read(path, ("mymodel", "ink"))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    assert preset.rows[0].model.adapters() == [("ink", 0.5)]  # type: ignore[union-attr]
    assert (preset.sampler.steps, preset.sampler.scheduler) == (20, "euler_a")
    assert "not carried over" not in notes and "made with Easy Diffusion" in notes


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"clip_skip": "often"}, "clip_skip 'often'"),
        ({"use_vae_model": "ema"}, "vae: 'ema' is not in the library"),
        ({"prompt_strength": "0.5"}, "prompt_strength '0.5'"),
        ({"use_upscale": "ESRGAN", "upscale_amount": "2"}, "upscale_amount '2'"),
        ({"use_face_correction": "GFPGAN"}, "GFPGAN"),
        ({"use_controlnet_model": "canny"}, "use_controlnet_model 'canny'"),
        ({"tiling": "z"}, "tiling 'z'"),
        ({"scheduler_name": "often"}, "'often'"),
    ],
    ids=str,
)
def test_easy_diffusion_s_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    assert words in read(png(tmp_path, EASY | more))[1]
