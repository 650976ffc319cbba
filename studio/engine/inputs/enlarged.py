"""The picture to start from, enlarged by an upscaler of the library before anything is encoded."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import AbstractContextManager
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from PIL import Image

from studio.engine.inputs.frame import Size
from studio.engine.inputs.start_image import Pictures
from studio.engine.seamless import HEIGHT, WIDTH, continued
from studio.engine.upscaling import AROUND, Upscaler, upscaled
from studio.events import Event

LARGE = "init.upscaler: the picture is as large as is asked for, and is not enlarged"


def enlarged(
    pictures: Pictures,
    network: Upscaler,
    lock: AbstractContextManager[Any],
    steps: int,
    axes: Collection[int] = (),
    again: bool = True,
) -> Generator[Event, None, Pictures]:
    """``pictures`` whose start the network has enlarged, where it is smaller than what it is for.

    One that only mends a picture (of scale 1) is used in any case.

    Args:
        lock: held while the network runs. steps: of the run, which an event states.
        axes: along which the picture's edges meet.
        again: the same start may come with the next image, and is remembered as it is enlarged.

    Raises:
        StudioError: as :func:`studio.engine.upscaling.upscaled`.
    """
    start = pictures.small or (pictures.start if network.scale == 1 else None)
    if start is None:
        return replace(pictures, notes=(*pictures.notes, LARGE))
    around = (AROUND if WIDTH in axes else 0, AROUND if HEIGHT in axes else 0)
    sides = zip(start.size, pictures.size, around, strict=True)
    more = [round(edge * to / own) for own, to, edge in sides]  # of the same, once enlarged
    (width, height), (left, top) = pictures.size, more
    whole = (width + 2 * left, height + 2 * top)
    key = _key(start, pictures.size, around)
    with lock:
        cut = network.made(key)
    if cut is None:
        image = yield from upscaled(network, continued(start, around), whole, lock, steps)
        cut = image.crop((left, top, left + width, top + height))
        if again:
            with lock:
                network.remember(key, cut)
    return replace(pictures, start=cut, small=None)


def _key(start: Image.Image, size: Size, around: Size) -> bytes:
    """What the picture that comes of a start depends on, beside the network."""
    return blake2b(repr((start.size, size, around)).encode() + start.tobytes()).digest()
