"""Preprocessors that need no weights: an RGB picture in, its map of the same size out."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

CANNY_THRESHOLDS = (100, 200)


def canny(image: Image.Image) -> Image.Image:
    """White edges on black, found by OpenCV at the picture's own size."""
    return Image.fromarray(cv2.Canny(np.asarray(image), *CANNY_THRESHOLDS)).convert("RGB")


def grey(image: Image.Image) -> Image.Image:
    """The picture's brightness alone."""
    return image.convert("L").convert("RGB")


def unchanged(image: Image.Image) -> Image.Image:
    """The picture as it is."""
    return image
