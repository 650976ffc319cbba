"""Draw Things' packet: values in the preset, the rest named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.other_tools import PLAIN, png, read, rows
from tests.support.tool_samples import DRAW, PACKET


def draw(folder: Path, **more: Any) -> Path:
    text = json.dumps(DRAW | more).replace("&", "&amp;").replace("<", "&lt;")
    return png(folder, {"XML:com.adobe.xmp": PACKET.format(text)})


def test_draw_things(tmp_path: Path) -> None:
    preset, notes = read(draw(tmp_path), ("mymodel", "ink_lora_f16"))
    assert rows(preset) == PLAIN and preset.base == "mymodel"
    assert preset.rows[0].model.adapters() == [("ink_lora_f16", 0.6)]  # type: ignore[union-attr]
    values = preset.sampler
    assert (values.scheduler, values.width, values.height) == ("euler_a", 64, 96)
    assert "not carried over" not in notes and "made with Draw Things" in notes
    assert rows(read(draw(tmp_path, c="a <b> & c", uc="bad"))[0])[0][0] == "a <b> & c"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"strength": 0.4}, "strength 0.4"),
        ({"upscaler": "x4.ckpt"}, "upscaler 'x4.ckpt'"),
        ({"clip_skip": 99}, "clip_skip 99"),
        ({"shift": 3}, "shift 3"),
        ({"control": [{"model": "canny.ckpt", "weight": 0.5}]}, "the ControlNet 'canny.ckpt'"),
        ({"v2": {"hiresFix": True}}, "hiresFix True"),
        ({"v2": {"refinerModel": "xl"}}, "refinerModel 'xl'"),
        ({"v2": {"clipSkip": 99}}, "clipSkip 99"),
        ({"unheard_of": 7}, "unheard_of 7"),
    ],
    ids=str,
)
def test_draw_things_other_fields_are_named(tmp_path: Path, more: dict, words: str) -> None:
    assert words in read(draw(tmp_path, **more))[1]
