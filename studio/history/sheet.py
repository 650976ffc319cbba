"""Pictures of the history on one sheet, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from studio.errors import StudioError, some_of
from studio.history.archive import TOLD
from studio.history.store import History
from studio.images import MAX_EDGE, open_checked, size_checked, to_rgb

MOST_ON_SHEET = 100
SMALLER = f"the pictures are made smaller, so that no side of the sheet passes {MAX_EDGE} pixels"


def sheet_of(history: History, ids: Sequence[str]) -> Sheet:
    """The pictures on one, in their order, without presets.

    Raises:
        StudioError: too many, or fewer than two that can be read.
    """
    if not 2 <= len(ids) <= MOST_ON_SHEET:
        raise StudioError(f"a sheet holds 2 to {MOST_ON_SHEET} pictures, got {len(ids)}")
    return side_by_side([history.file(history.get(one)) for one in ids])


class Sheet(NamedTuple):
    """Pictures on one; the names of those that cannot be read, and what is said of their size."""

    whole: Image.Image
    lost: list[str]
    smaller: str


def side_by_side(files: Sequence[Path]) -> Sheet:
    """Pictures in about as many columns as lines on white, each in the middle of a cell as large as the
    largest; made smaller together where a side would pass :data:`studio.images.MAX_EDGE`. One after
    the other is opened; one that cannot be read has no cell.

    Raises:
        StudioError: fewer than two can be read; names the others.
    """
    sizes = {place: size for place, file in enumerate(files) if (size := _size(file))}
    while len(sizes) >= 2:
        columns = ceil(sqrt(len(sizes)))
        lines = ceil(len(sizes) / columns)
        wide, high = (max(side) for side in zip(*sizes.values(), strict=True))
        scale = min(1.0, MAX_EDGE / (wide * columns), MAX_EDGE / (high * lines))
        cell = (max(1, int(wide * scale)), max(1, int(high * scale)))
        whole = Image.new("RGB", (cell[0] * columns, cell[1] * lines), "white")
        torn = []
        for at, place in enumerate(sizes):
            try:
                opened = to_rgb(open_checked(files[place], files[place].name))
            except StudioError:
                torn.append(place)
                continue
            small = _within(opened, scale, cell)
            left, top = at % columns * cell[0], at // columns * cell[1]
            around = (cell[0] - small.width) // 2, (cell[1] - small.height) // 2
            whole.paste(small, (left + around[0], top + around[1]))
        if not torn:
            lost = [file.name for place, file in enumerate(files) if place not in sizes]
            return Sheet(whole, lost, SMALLER if scale < 1 else "")
        for place in torn:  # seen as it was decoded: once more without its cell
            del sizes[place]
    lost = [file.name for place, file in enumerate(files) if place not in sizes]
    raise StudioError(f"fewer than 2 of the pictures can be read, not {some_of(lost, TOLD)}")


def _size(file: Path) -> tuple[int, int] | None:
    """A picture's size by its header; ``None`` where that cannot be read."""
    try:
        return size_checked(file, file.name)
    except StudioError:
        return None


def _within(image: Image.Image, scale: float, cell: tuple[int, int]) -> Image.Image:
    """A picture ``scale`` times as large, and no larger than a cell, as one that lay on its side."""
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    small = image if scale == 1 else image.resize(size, Image.Resampling.LANCZOS)
    small.thumbnail(cell, Image.Resampling.LANCZOS)
    return small
