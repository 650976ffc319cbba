"""Preprocessors that need no weights: an RGB picture in, its map of the same size out."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from studio.preset.preprocessors import CANNY_THRESHOLDS


def canny(
    image: Image.Image, low: int = CANNY_THRESHOLDS[0], high: int = CANNY_THRESHOLDS[1]
) -> Image.Image:
    """White edges on black, found by OpenCV at the picture's own size.

    Args:
        low, high: from how strong on an edge is drawn where it goes on from another, and by itself.
    """
    return Image.fromarray(cv2.Canny(np.asarray(image), low, high)).convert("RGB")


def grey(image: Image.Image) -> Image.Image:
    """The picture's brightness alone."""
    return image.convert("L").convert("RGB")


def unchanged(image: Image.Image) -> Image.Image:
    """The picture as it is."""
    return image
