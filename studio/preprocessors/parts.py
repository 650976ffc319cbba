"""The parts of a finished picture that a detail names, as masks."""

from __future__ import annotations

import numpy as np
from PIL import Image

from studio.errors import BadPreset
from studio.extensions import resolved
from studio.preset import Detail
from studio.preset.finders import FINDERS

FAINT = 8  # of 255: what a mask has at most where it holds nothing
WITHIN = 0.8  # of a part, that another holds


def see_ready(detail: Detail) -> None:
    """See that its finder can run, before there is a picture to look at.

    Raises:
        StudioError: the finder's weights are not here and may not be fetched.
    """
    ready = FINDERS[detail.finder].ready
    if ready:
        resolved(ready)()


def parts_of(picture: Image.Image, detail: Detail) -> list[Image.Image]:
    """A mask (L, of the picture's size, white inside) for each part, grown, the largest first, at
    most ``detail.most``; what lies within a larger one is part of that.

    Args:
        picture: RGB.

    Raises:
        StudioError: the finder's weights are not here, or it gave something else than masks of the
            picture's size.
    """
    found = resolved(FINDERS[detail.finder].run)(picture, detail)
    if any(not isinstance(one, Image.Image) or one.size != picture.size for one in found):
        raise BadPreset(
            f"{detail.finder!r} gave no masks of {picture.width}x{picture.height}",
            field="detail.finder",
        )
    inside = [np.asarray(one.convert("L")) > FAINT for one in found]
    areas = [int(np.count_nonzero(one)) for one in inside]
    kept: list[int] = []
    for index in sorted(range(len(found)), key=lambda one: -areas[one]):
        if len(kept) == detail.most:
            break
        if areas[index] and not any(
            np.count_nonzero(inside[index] & inside[other]) > WITHIN * areas[index]
            for other in kept
        ):
            kept.append(index)
    return [grown(found[index].convert("L"), detail.grow) for index in kept]


def grown(mask: Image.Image, pixels: int) -> Image.Image:
    """What is white wider by so many pixels to all sides."""
    from scipy.ndimage import maximum_filter

    return Image.fromarray(maximum_filter(np.asarray(mask), 2 * pixels + 1)) if pixels else mask
