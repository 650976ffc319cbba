"""A tiny model, a picture to start from and its masks, for tests of soft inpainting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.support import tiny


def lay_out(folder: Path) -> np.ndarray:
    """Write ``base``, ``start.png``, ``rising.png`` and ``hard.png`` of 16 pixels; the last one's levels."""
    tiny.pipeline(folder / "base")
    pixels = np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "start.png")
    across = np.linspace(0, 255, 16).round().astype(np.uint8)
    Image.fromarray(np.tile(across, (16, 1))).save(folder / "rising.png")
    hard = np.zeros((16, 16), np.uint8)
    hard[:, 6:] = 255  # whole positions of latents
    Image.fromarray(hard).save(folder / "hard.png")
    return hard
