"""Fooocus' JSON in every format: values in the preset, the rest named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.other_tools import PLAIN, read, rows
from tests.support.tool_samples import FOOOCUS, written


@pytest.mark.parametrize("how", ["png", "jpg", "webp"])
def test_fooocus(tmp_path: Path, how: str) -> None:
    preset, notes = read(written(tmp_path, FOOOCUS, how))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    values = preset.sampler
    assert (values.steps, values.seed, values.width, values.height) == (20, 42, 64, 96)
    assert "not carried over" not in notes


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"clip_skip": 99}, "clip_skip 99"),
        ({"sharpness": 2.0}, "sharpness 2.0"),
        ({"adm_guidance": "(1.5, 0.8, 0.3)"}, "adm_guidance '(1.5"),
        ({"adaptive_cfg": 7.0}, "adaptive_cfg 7.0"),
        (
            {"refiner_model": "xl", "refiner_switch": 0.5},
            "the refiner 'xl' (0.5) is not in the library",
        ),
        ({"vae": "ema"}, "vae: 'ema' is not in the library"),
        ({"freeu": "(1, 1)"}, "freeu"),
        ({"styles": "['Fooocus V2']"}, "styles"),
        ({"prompt_expansion": "a cat, sharp"}, "prompt_expansion"),
        ({"inpaint_strength": 0.5}, "inpaint_strength 0.5"),
        ({"loras": [["lost", 0.5, "1"]]}, "'lost' at 0.5"),
        ({"scheduler": "kl_optimal"}, "'kl_optimal'"),
        ({"unheard_of": 1}, "unheard_of 1"),
    ],
    ids=str,
)
def test_fooocus_s_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    assert words in read(written(tmp_path, FOOOCUS | more, "png"))[1]


def test_fooocus_s_styles_are_in_its_full_prompt(tmp_path: Path) -> None:
    more = {"full_prompt": ["a cat", "sharp"], "styles": "['S']", "prompt_expansion": "x"}
    preset, notes = read(written(tmp_path, FOOOCUS | more, "png"))
    assert rows(preset)[0] == ("a cat, sharp", 7.0) and "styles" not in notes
