"""Masks and a control map of the random stacks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def pixels_of(folder: Path) -> dict[str, Tensor]:
    """Masks and a control map, written as pictures too."""
    chance = np.random.default_rng(1)
    rows, columns = np.mgrid[:16, :16]
    drawn = {
        "left.png": np.where(columns < 7, 255, 0),
        "disc.png": np.where((rows - 9) ** 2 + (columns - 10) ** 2 < 20, 255, 0),
        "soft.png": chance.integers(0, 256, (16, 16)) * (rows > 5),
    }
    found = {}
    for name, values in drawn.items():
        Image.fromarray(values.astype(np.uint8)).save(folder / name)
        found[name] = torch.from_numpy(values.astype(np.float64)) / 255
    noise = chance.integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(folder / "map.png")
    found["map.png"] = torch.from_numpy(noise).double().permute(2, 0, 1)[None] / 255
    return found
