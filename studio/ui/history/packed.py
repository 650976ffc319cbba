"""Pictures of the history as one file to take away: a ZIP, or a sheet of all of them side by side."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil, sqrt
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from PIL import Image

from studio.errors import StudioError, some_of
from studio.history import History
from studio.history.archive import TOLD, said_lost, write_zip
from studio.images import MAX_EDGE, open_checked, size_checked, to_rgb
from studio.ui.widgets import FILE_META

MOST_ZIPPED, MOST_ON_SHEET = 5000, 100
SMALLER = f"the pictures are made smaller, so that no side of the sheet passes {MAX_EDGE} pixels"
PREFIX, KEPT_SECONDS = "guidance-studio-packed-", 3600.0


def zipped(history: History, ids: list[str]) -> dict[str, Any]:
    """The pictures as one ZIP file, presets included.

    Raises:
        StudioError: none, or too many.
    """
    if not 1 <= len(ids) <= MOST_ZIPPED:
        raise StudioError(f"a ZIP holds 1 to {MOST_ZIPPED} pictures, and {len(ids)} were found")
    return _packed("pictures.zip", lambda file: said_lost(write_zip(history, ids, file)))


def sheet(history: History, ids: list[str]) -> dict[str, Any]:
    """The pictures on one, in their order, without presets; what cannot be read is left out and named.

    Raises:
        StudioError: fewer than two that can be read, or too many.
    """
    if not 2 <= len(ids) <= MOST_ON_SHEET:
        raise StudioError(f"a sheet holds 2 to {MOST_ON_SHEET} pictures, got {len(ids)}")
    drawn = side_by_side([history.file(history.get(one)) for one in ids])

    def write(file: BinaryIO) -> str:
        drawn.whole.save(file, "PNG")
        return " · ".join(filter(None, [said_lost(drawn.lost), drawn.smaller]))

    return _packed("sheet.png", write)


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


def _packed(name: str, write: Callable[[BinaryIO], str]) -> dict[str, Any]:
    """The file as the page's browser saves it: under the name that it has here."""
    _clear()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with (folder / name).open("wb") as file:
            left_out = write(file)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    packed = {"path": str(folder / name), "meta": FILE_META, "orig_name": name}
    return {"file": packed, "left_out": left_out}


def _clear() -> None:
    """Remove what was packed long ago: a browser has it by now."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
