"""The size of the picture to be made."""

from __future__ import annotations

import math

from studio.errors import BadPreset
from studio.library import ModelEntry
from studio.preset import Preset

DEFAULT_SIZE = 512  # edge of a base that states none
_LANDSCAPE = ((4, 3), (3, 2), (16, 9), (21, 9))
# Width to height as people call it.
ASPECTS = {
    f"{wide}:{high}": wide / high
    for wide, high in ((1, 1), *_LANDSCAPE, *((high, wide) for wide, high in _LANDSCAPE))
}


def picture_size(preset: Preset, base: ModelEntry) -> tuple[int, int]:
    """Width and height of the picture in pixels: as asked for, else the base's own.

    Args:
        base: as :func:`studio.plan.row_models.check_base` returns it.

    Raises:
        BadPreset: a side that the autoencoder cannot make; names it.
    """
    native = base.size or DEFAULT_SIZE
    size = preset.sampler.width or native, preset.sampler.height or native
    for name, given in zip(("width", "height"), size, strict=True):
        if given % base.multiple:
            below = given // base.multiple * base.multiple
            near = " and ".join(str(edge) for edge in (below, below + base.multiple) if edge)
            raise BadPreset(
                f"must be a multiple of {base.multiple} for base {base.id!r}, such as {near}; "
                f"got {given}",
                field=f"sampler.{name}",
            )
    return size


def aspect_size(aspect: str, base: ModelEntry) -> tuple[int, int]:
    """Width and height of an aspect ratio: about as many pixels as the base's own square.

    Each side is the multiple of the base's that is nearest to the exact one, as a factor.

    Args:
        aspect: one of :data:`ASPECTS`. base: as :func:`picture_size` takes it.
    """
    native, stretch = base.size or DEFAULT_SIZE, math.sqrt(ASPECTS[aspect])
    return _nearest(native * stretch, base.multiple), _nearest(native / stretch, base.multiple)


def _nearest(edge: float, multiple: int) -> int:
    below = max(multiple, int(edge) // multiple * multiple)
    return min(below, below + multiple, key=lambda one: abs(math.log(one / edge)))
