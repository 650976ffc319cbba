"""The parts of a finished picture that a detail names, as masks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from studio.errors import BadPreset
from studio.extensions import placed
from studio.preset import Detail
from studio.preset.finders import FINDERS


def see_ready(detail: Detail) -> None:
    """See that its finder can run, before there is a picture to look at.

    Raises:
        StudioError: the finder's weights are not here and may not be fetched.
    """
    ready = FINDERS[detail.finder].ready
    if ready:
        _function(ready)()


def parts_of(picture: Image.Image, detail: Detail) -> list[Image.Image]:
    """A mask (L, of the picture's size, white inside) for each part, grown, the largest first, at
    most ``detail.most``.

    Args:
        picture: RGB.

    Raises:
        StudioError: the finder's weights are not here, or it gave something else than masks of the
            picture's size.
    """
    found = _function(FINDERS[detail.finder].run)(picture, detail)
    if any(not isinstance(one, Image.Image) or one.size != picture.size for one in found):
        raise BadPreset(
            f"{detail.finder!r} gave no masks of {picture.width}x{picture.height}",
            field="detail.finder",
        )
    masks = [grown(one.convert("L"), detail.grow) for one in found]
    areas = [int(np.count_nonzero(np.asarray(one))) for one in masks]
    order = sorted(range(len(masks)), key=lambda index: -areas[index])
    return [masks[index] for index in order if areas[index]][: detail.most]


def grown(mask: Image.Image, pixels: int) -> Image.Image:
    """What is white wider by so many pixels to all sides."""
    from scipy.ndimage import maximum_filter

    return Image.fromarray(maximum_filter(np.asarray(mask), 2 * pixels + 1)) if pixels else mask


def _function(run: str | Callable[..., Any]) -> Callable[..., Any]:
    return placed(run) if isinstance(run, str) else run
