"""What is painted in the page's painter, and what became of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.studio_page import Studio

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


def begun(desk: Studio, picture: Path) -> None:
    """The form starts from a picture, in sight."""
    desk.use(["a cat face"])
    desk.unfold("Advanced")
    desk.page.wait_for_function("studio.start && !studio.start.init?.image")
    desk.page.locator(".gs-start > .gs-file").set_input_files(picture)
    desk.page.locator(".gs-start > .gs-thumb img").wait_for()
