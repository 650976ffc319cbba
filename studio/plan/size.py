"""The size of the picture to be made."""

from __future__ import annotations

from studio.errors import BadPreset
from studio.library import ModelEntry
from studio.preset import Preset

DEFAULT_SIZE = 512  # edge of a base that states none


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
