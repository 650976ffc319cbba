"""A picture with room around it, to be painted on."""

from __future__ import annotations

import numpy as np
from PIL import Image

from studio.errors import StudioError

Sides = tuple[int, int, int, int]  # left, top, right, bottom, in pixels
FAR = 4096


def rounded(size: tuple[int, int], sides: Sides, multiple: int) -> Sides:
    """``sides`` with which width and height are multiples; what is missing comes right and below.

    Raises:
        StudioError: nothing is added, or a side is below zero or beyond all pictures.
    """
    if min(sides) < 0 or max(sides) > FAR or not any(sides):
        raise StudioError(
            f"0 to {FAR} pixels, at least one of them more than 0; got {', '.join(map(str, sides))}",
            field="sides",
        )
    left, top, right, bottom = sides
    width, height = size
    return (
        left,
        top,
        right + -(left + width + right) % multiple,
        bottom + -(top + height + bottom) % multiple,
    )


def extended(image: Image.Image, sides: Sides) -> tuple[Image.Image, Image.Image]:
    """The picture with its edges drawn out by ``sides``, and a mask that is white over them."""
    left, top, right, bottom = sides
    around = ((top, bottom), (left, right))
    pixels = np.pad(np.asarray(image.convert("RGB")), (*around, (0, 0)), mode="edge")
    mask = np.pad(np.zeros(image.size[::-1], np.uint8), around, constant_values=255)
    return Image.fromarray(pixels), Image.fromarray(mask)
