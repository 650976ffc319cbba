"""The control map that pictures are scored against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.cli.scoring import control_maps
from studio.errors import StudioError
from studio.preset import Preset, validate
from studio.preset.preprocessors import FINISHED


def with_control(**control: str) -> Preset:
    rows = [{"prompt": "a cat"}, {"prompt": "a cat", "control": control}]
    return validate({"rows": rows, "sampler": {"width": 64, "height": 32}})


def test_a_finished_map_is_kept_as_it_is_at_the_pictures_size(tmp_path: Path) -> None:
    lines = np.zeros((32, 64, 3), np.uint8)
    lines[::4] = 255
    Image.fromarray(lines).save(tmp_path / "lines.png")
    preset = with_control(type=FINISHED, image="lines.png", model="any")
    (found,) = control_maps(preset, tmp_path / "out", [tmp_path])
    assert found == tmp_path / "out" / "control.png"
    assert np.array_equal(np.asarray(Image.open(found).convert("RGB")), lines)


def test_edges_lie_where_the_picture_has_them(tmp_path: Path) -> None:
    halves = np.zeros((64, 128, 3), np.uint8)
    halves[:, 64:] = 255
    Image.fromarray(halves).save(tmp_path / "halves.png")
    (found,) = control_maps(
        with_control(type="canny", image="halves.png"), tmp_path / "out", [tmp_path]
    )
    edges = np.asarray(Image.open(found).convert("L")) > 127
    assert edges.shape == (32, 64) and edges.any(0)[30:34].any()
    assert not edges[:, :28].any() and not edges[:, 36:].any()


def test_a_preset_without_control_has_none_and_an_absent_picture_is_named(tmp_path: Path) -> None:
    assert control_maps(validate({"rows": [{"prompt": "a cat"}]}), tmp_path, []) == []
    preset = with_control(type="canny", image="nowhere.png")
    with pytest.raises(StudioError, match=r"rows\.1\.control\.image"):
        control_maps(preset, tmp_path, [tmp_path])
