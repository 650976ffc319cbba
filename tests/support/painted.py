"""What is painted in the page's painter, and what became of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

# How many pixels of the first canvas have ink.
INKED = """() => {
    const canvas = document.querySelector("dialog.gs-painter canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, at) => sum + (at % 4 === 3 && value > 0), 0);
}"""


def white(home: Path, reference: str) -> np.ndarray:
    """Where a stored mask is white, as a map of thirds by thirds."""
    mask = np.asarray(
        Image.open(home / reference).convert("L").resize((3, 3), Image.Resampling.BOX)
    )
    return mask > 100
