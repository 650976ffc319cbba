"""NovelAI's chunks: values in the preset, the rest named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.other_tools import PLAIN, photo, png, read, rows
from tests.support.tool_samples import NOVELAI


def novelai(folder: Path, **more: Any) -> Path:
    return png(
        folder,
        Title="AI generated image",
        Description="a cat",
        Software="NovelAI",
        Source="mymodel 1D44365E",
        Comment=json.dumps(NOVELAI | more),
    )


def test_novelai(tmp_path: Path) -> None:
    preset, notes = read(novelai(tmp_path))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    values = preset.sampler
    assert (values.steps, values.seed, values.scheduler) == (28, 42, "euler_a")
    assert (values.width, values.height, preset.guidance_rescale) == (64, 96, 0.4)
    assert values.schedule == "karras" and "'karras'" not in notes


def test_novelai_s_first_pictures_have_their_prompt_as_a_description(tmp_path: Path) -> None:
    comment = {k: v for k, v in NOVELAI.items() if k != "prompt"}
    path = png(tmp_path, Description="a cat", Source="X", Comment=json.dumps(comment))
    assert rows(read(path)[0]) == PLAIN


def test_novelai_s_captions_and_characters(tmp_path: Path) -> None:
    def captions(base: str, *characters: str) -> dict[str, Any]:
        listed = [{"char_caption": c, "centers": [{"x": 0.5, "y": 0.3}]} for c in characters]
        caption = {"base_caption": base, "char_captions": listed}
        return {"caption": caption, "use_coords": True, "use_order": True}

    path = novelai(
        tmp_path,
        v4_prompt=captions("a room", "{a cat}", "1.5::a dog::"),
        v4_negative_prompt=captions("bad", "blurry"),
    )
    preset, notes = read(path)
    assert rows(preset) == [
        ("a room, (a cat:1.05), (a dog:1.5)", 7.0),
        ("bad, blurry", -6.0),
    ]
    assert "the character '{a cat}' at [{'x': 0.5, 'y': 0.3}] is read as part" in notes


def test_novelai_s_undesired_strength(tmp_path: Path) -> None:
    preset, notes = read(novelai(tmp_path, uncond_scale=0.5))
    assert rows(preset) == [("a cat", 7.0), ("bad", -3.0)]
    assert "uncond_scale 0.5" in notes
    assert "uncond_scale 0 " in read(novelai(tmp_path, uncond_scale=0))[1]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("strength", 0.7, "strength 0.7"),
        ("noise", 0.2, "noise 0.2"),
        ("sm", True, "sm True"),
        ("sm_dyn", True, "sm_dyn True"),
        ("dynamic_thresholding", True, "dynamic_thresholding True"),
        ("skip_cfg_above_sigma", 19.3, "skip_cfg_above_sigma 19.3"),
        ("reference_strength_multiple", [0.6], "reference_strength_multiple [0.6]"),
        ("controlnet_model", "hed", "controlnet_model 'hed'"),
        ("extra_noise_seed", 5, "extra_noise_seed 5"),
        ("request_type", "Img2ImgRequest", "Img2ImgRequest"),
        ("unheard_of", 1, "unheard_of 1"),
    ],
)
def test_novelai_s_other_fields_are_named(
    tmp_path: Path, field: str, value: Any, words: str
) -> None:
    assert words in read(novelai(tmp_path, **{field: value}))[1]


def test_novelai_in_webp(tmp_path: Path) -> None:
    whole = {"Comment": json.dumps(NOVELAI), "Source": "mymodel 1D44365E", "Software": "NovelAI"}
    preset, _ = read(photo(tmp_path, json.dumps(whole).encode(), "webp"))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
