"""Pictures of the history as one file to take away: a ZIP, or a sheet of all of them side by side."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from math import ceil, sqrt
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from studio.errors import StudioError
from studio.history import History
from studio.history.archive import said_lost, write_zip
from studio.images import MAX_EDGE, open_checked, size_checked, to_rgb
from studio.ui.widgets import FILE_META

MOST_ZIPPED, MOST_ON_SHEET = 5000, 100


def zipped(history: History, ids: list[str]) -> dict[str, Any]:
    """The pictures as one ZIP file, presets included.

    Raises:
        StudioError: none, or too many.
    """
    if not 1 <= len(ids) <= MOST_ZIPPED:
        raise StudioError(f"a ZIP holds 1 to {MOST_ZIPPED} pictures, and {len(ids)} were found")
    return _packed("pictures.zip", lambda file: said_lost(write_zip(history, ids, file)))


def sheet(history: History, ids: list[str]) -> dict[str, Any]:
    """The pictures on one, in their order, without presets.

    Raises:
        StudioError: fewer than two, too many, or one that cannot be read.
    """
    if not 2 <= len(ids) <= MOST_ON_SHEET:
        raise StudioError(f"a sheet holds 2 to {MOST_ON_SHEET} pictures, got {len(ids)}")
    drawn = side_by_side([history.file(history.get(one)) for one in ids])

    def write(file: BinaryIO) -> str:
        drawn.save(file, "PNG")
        return ""

    return _packed("sheet.png", write)


def side_by_side(files: Sequence[Path]) -> Image.Image:
    """Pictures in about as many columns as lines on white, each in the middle of a cell as large as the
    largest; made smaller together where a side would pass :data:`studio.images.MAX_EDGE`. One after
    the other is opened.

    Raises:
        StudioError: one that cannot be read; names the file.
    """
    columns = ceil(sqrt(len(files)))
    lines = ceil(len(files) / columns)
    sizes = [size_checked(file, file.name) for file in files]
    wide, high = (max(side) for side in zip(*sizes, strict=True))
    scale = min(1.0, MAX_EDGE / (wide * columns), MAX_EDGE / (high * lines))
    cell = (max(1, int(wide * scale)), max(1, int(high * scale)))
    whole = Image.new("RGB", (cell[0] * columns, cell[1] * lines), "white")
    for place, file in enumerate(files):
        small = _within(to_rgb(open_checked(file, file.name)), scale, cell)
        left, top = place % columns * cell[0], place // columns * cell[1]
        around = (cell[0] - small.width) // 2, (cell[1] - small.height) // 2
        whole.paste(small, (left + around[0], top + around[1]))
    return whole


def _within(image: Image.Image, scale: float, cell: tuple[int, int]) -> Image.Image:
    """A picture ``scale`` times as large, and no larger than a cell, as one that lay on its side."""
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    small = image if scale == 1 else image.resize(size, Image.Resampling.LANCZOS)
    small.thumbnail(cell, Image.Resampling.LANCZOS)
    return small


def _packed(name: str, write: Callable[[BinaryIO], str]) -> dict[str, Any]:
    """The file as the page's browser saves it: under the name that it has here."""
    folder = Path(tempfile.mkdtemp(prefix="guidance-studio-"))
    try:
        with (folder / name).open("wb") as file:
            left_out = write(file)
    except StudioError:
        shutil.rmtree(folder)
        raise
    packed = {"path": str(folder / name), "meta": FILE_META, "orig_name": name}
    return {"file": packed, "left_out": left_out}
