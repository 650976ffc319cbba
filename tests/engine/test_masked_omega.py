"""ω under masks and ranges: one step against guidance.md §2 as a plain loop in float64."""

# ruff: noqa: F811 - the fixtures are imported
from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from studio.engine.networks.loader import Loader
from studio.preset import Preset
from tests.support.one_step import (  # noqa: F401
    LEVEL,
    OTHER,
    STYLE,
    Predict,
    T,
    Z,
    denoiser,
    loader,
    predict,
    preset_of,
    root,
)

SCALES = {"base/style": (0.7, 0.0), "base/other": (0.0, 0.5)}


def pixels(root: Path, name: str) -> Tensor:
    if not name:
        return torch.ones(16, 16, dtype=torch.float64)
    return torch.from_numpy(np.asarray(Image.open(root / name)).copy()).double() / 255


def pooled(values: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(values[None, None], 2)


def oracle(root: Path, predict: Predict, preset: Preset, now: float = 0.0) -> Tensor:
    """Every subset of the masks of personalised rows, one forward each, then every row alone."""
    rows = [r for r in preset.rows if r.range[0] <= now < r.range[1] or r.range == (0, 1)]
    scale = {id(r): SCALES[r.model.lora] if r.model else (0.0, 0.0) for r in rows}
    personal = [r for r in rows if r.model and r.weight > 0]
    masks = sorted({r.mask for r in personal if r.mask})
    base = torch.zeros_like(Z)
    for inside in product([False, True], repeat=len(masks)):
        where = torch.ones(16, 16, dtype=torch.float64)
        for mask, chosen in zip(masks, inside, strict=True):
            where = where * (pixels(root, mask) if chosen else 1 - pixels(root, mask))
        there = [r for r in personal if not r.mask or inside[masks.index(r.mask)]]
        total = sum(r.weight for r in there)
        omega = [
            sum(preset.omega * r.weight / total * scale[id(r)][k] for r in there) for k in (0, 1)
        ]
        base = base + pooled(where) * predict("", *omega)
    result = base
    for row in rows:
        told = predict(row.prompt, *scale[id(row)])
        result = result + row.weight * pooled(pixels(root, row.mask)) * (told - base)
    return result


STACKS: dict[str, tuple[int, list[dict[str, Any]]]] = {
    "one masked": (3, [{"prompt": "x", "weight": 4.0, "model": STYLE, "mask": "left.png"}]),
    "one soft": (3, [{"prompt": "x", "weight": 4.0, "model": STYLE, "mask": "mask.png"}]),
    "disjoint": (
        5,
        [
            {"prompt": "x", "weight": 4.0, "model": STYLE, "mask": "left.png"},
            {"prompt": "y", "weight": 2.0, "model": OTHER, "mask": "right.png"},
        ],
    ),
    "complementary": (
        4,
        [
            {"prompt": "x", "weight": 4.0, "model": STYLE, "mask": "left.png"},
            {"prompt": "y", "weight": 2.0, "model": OTHER, "mask": "rest.png"},
        ],
    ),
    "overlapping": (
        7,
        [
            {"prompt": "x", "weight": 4.0, "model": STYLE, "mask": "right.png"},
            {"prompt": "y", "weight": 2.0, "model": OTHER, "mask": "mask.png"},
            {"prompt": "z", "weight": 1.5, "mask": "left.png"},
        ],
    ),
    "one of two masked": (
        4,
        [
            {"prompt": "x", "weight": 4.0, "model": STYLE},
            {"prompt": "y", "weight": 2.0, "model": OTHER, "mask": "rest.png"},
        ],
    ),
    "a negative row has no part": (
        3,
        [
            {"prompt": "x", "weight": 4.0, "model": STYLE},
            {"prompt": "y", "weight": -2.0, "model": OTHER, "mask": "rest.png"},
        ],
    ),
}


@pytest.mark.parametrize("way", [{}, {"max_samples": 2}], ids=str)
@pytest.mark.parametrize("name", STACKS)
def test_theta_omega_belongs_where_its_rows_do(
    loader: Loader, root: Path, predict: Predict, name: str, way: dict[str, Any]
) -> None:
    passes, rows = STACKS[name]
    preset = preset_of(*rows, omega=0.6)
    denoise = denoiser(loader, root, preset, **way)
    got = denoise(0, Z, T, *LEVEL)
    assert (got - oracle(root, predict, preset)).abs().max() < 1e-7
    assert denoise.forwards == passes * len(Z)
    assert denoise.plan.forwards_per_step[0] == passes


def test_outside_its_mask_a_row_changes_no_prediction(loader: Loader, root: Path) -> None:
    """The far side of the picture is that of the run without the row, bit for bit."""
    plain = {"prompt": "cat", "weight": 4.0}
    row = {"prompt": "x", "weight": 5.0, "model": STYLE, "mask": "left.png"}
    for refined in ({}, {"cfgpp": True}):
        without = denoiser(loader, root, preset_of(plain, omega=0.6, **refined))
        there = denoiser(loader, root, preset_of(plain, row, omega=0.6, **refined))
        expected, got = (d.predict(0, Z, T, *LEVEL) for d in (without, there))
        far = there.masks["left.png"][0, 0] == 0
        assert far.sum() == 40
        for one, other in zip(got, expected, strict=True):
            if one is not None:
                assert (one - other)[..., far].abs().max() < 1e-12
                assert (one - other)[..., ~far].abs().max() > 1e-3


@pytest.mark.parametrize("idle", [{"range": [0.5, 1.0]}, {"curve": [[0.0, 0.0], [1.0, 3.0]]}])
def test_outside_its_range_a_row_changes_no_prediction(
    loader: Loader, root: Path, idle: dict[str, Any]
) -> None:
    plain = {"prompt": "cat", "weight": 4.0, "model": OTHER}
    row = {"prompt": "x", "weight": 5.0, "model": STYLE, "mask": "left.png", **idle}
    expected = denoiser(loader, root, preset_of(plain, omega=0.6))(0, Z, T, *LEVEL)
    there = denoiser(loader, root, preset_of(plain, row, omega=0.6))
    assert torch.equal(there(0, Z, T, *LEVEL), expected)
    assert there.plan.forwards_per_step[0] == 2 < there.plan.forwards_per_step[-1]


@pytest.mark.parametrize("now", [0.0, 0.5])
def test_masks_and_ranges_together(
    loader: Loader, root: Path, predict: Predict, now: float
) -> None:
    rows = [
        {"prompt": "x", "weight": 4.0, "model": STYLE, "mask": "left.png", "range": [0.0, 0.4]},
        {"prompt": "y", "weight": 2.0, "model": OTHER, "mask": "mask.png"},
        {"prompt": "z", "weight": -1.0},
    ]
    preset = preset_of(*rows, omega=1.0)
    denoise = denoiser(loader, root, preset, progress=[0.0, 0.5])
    got = denoise(int(now > 0), Z, T, *LEVEL)
    assert (got - oracle(root, predict, preset, now)).abs().max() < 1e-7


def test_a_split_masked_row_changes_nothing(loader: Loader, root: Path) -> None:
    row = {"prompt": "x", "model": STYLE, "mask": "mask.png"}
    whole = denoiser(loader, root, preset_of({**row, "weight": 5.0}, omega=0.6))
    halves = [{**row, "weight": 2.0}, {**row, "weight": 3.0}]
    split = denoiser(loader, root, preset_of(*halves, omega=0.6))
    assert (whole(0, Z, T, *LEVEL) - split(0, Z, T, *LEVEL)).abs().max() < 1e-12
    assert whole.forwards == split.forwards
