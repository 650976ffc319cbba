"""Where tiles lie, and what they cost."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from studio.errors import BadPreset
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.plan.tiles import OVERLAP, windows
from studio.preset import Preset, validate
from studio.preset.fields import with_fields
from tests.support import tiny


@pytest.mark.parametrize("size", [(1024, 1024), (768, 512), (1032, 520), (4096, 512), (520, 512)])
def test_they_cover_everything_and_overlap(size: tuple[int, int]) -> None:
    found = windows(size, 512, 8)
    seen = np.zeros(size[::-1], int)
    for one in found:
        assert (one.width, one.height) == (512, 512) and one.left % 8 == one.top % 8 == 0
        seen[one.top : one.top + one.height, one.left : one.left + one.width] += 1
    assert seen.min() == 1 and seen[0, 0] == 1 and seen[-1, -1] == 1
    lefts = sorted({one.left for one in found})
    assert all(b - a <= 512 * (1 - OVERLAP) + 8 for a, b in itertools.pairwise(lefts))


def test_a_side_below_a_tile_is_one_tile() -> None:
    assert len(windows((512, 512), 512, 8)) == 1
    (one,) = windows((256, 384), 512, 8)
    assert (one.left, one.top, one.width, one.height) == (0, 0, 256, 384)
    with pytest.raises(BadPreset, match=r"sampler.tiles: .* at most 256"):
        windows((4096, 4096), 128, 8)


def test_every_pass_counts_once_in_each_tile(tmp_path: Path) -> None:
    tiny.pipeline(tmp_path / "base")
    library = Library((tmp_path,))

    def plan_of(**sampler: object):  # noqa: ANN202
        rows = [{"prompt": "a", "weight": 3.0}, {"prompt": "b", "weight": 1.0, "range": [0, 0.5]}]
        preset = validate({"base": "base", "rows": rows, "sampler": {"steps": 4, **sampler}})
        return stated_plan(preset, library)

    plain, tiled = plan_of(width=32, height=32), plan_of(width=32, height=32, tiles=True)
    assert len(tiled.tiles) == 9 and plain.tiles == ()
    assert tiled.forwards_per_step == tuple(9 * one for one in plain.forwards_per_step)
    assert tiled.forwards_total == 9 * plain.forwards_total and tiled.as_dict()["tiles"] == 9
    assert "9 tiles of 16x16: every pass runs in each" in tiled.notes
    alone = plan_of(tiles=True)
    assert alone.forwards_total == plain.forwards_total and "made at once" in alone.notes[-1]


def test_a_preset_without_them_says_nothing_of_them() -> None:
    assert "tiles" not in Preset().to_json()
    assert with_fields(Preset(), [("sampler.tiles", True)]).sampler.tiles is True
