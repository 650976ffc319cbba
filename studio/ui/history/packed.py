"""Pictures of the history as one file to take away: a ZIP, a sheet of all of them, or an animation."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from studio.errors import StudioError
from studio.history import History
from studio.history.animation import moving, read_kind, read_rate
from studio.history.archive import said_lost, write_zip
from studio.history.light import Left, jpegs, write_jpegs
from studio.history.sheet import sheet_of
from studio.ui.widgets import FILE_META

MOST_ZIPPED, MOST_LIGHT = 5000, 500
_ANIMATING = threading.Lock()  # one at a time: each takes a processor for a minute or so
PREFIX, KEPT_SECONDS = "guidance-studio-packed-", 3600.0


def zipped(history: History, ids: list[str]) -> dict[str, Any]:
    """The pictures as one ZIP file, presets included.

    Raises:
        StudioError: none, or too many.
    """
    if not 1 <= len(ids) <= MOST_ZIPPED:
        raise StudioError(f"a ZIP holds 1 to {MOST_ZIPPED} pictures, and {len(ids)} were found")
    return _packed("pictures.zip", lambda file: said_lost(write_zip(history, ids, file)))


def light(history: History, ids: list[str], settings: bool = True) -> dict[str, Any]:
    """The pictures as JPEG files, with their presets or as pictures alone, several as one ZIP file.

    Raises:
        StudioError: none, too many, or none that can be read.
    """
    if not 1 <= len(ids) <= MOST_LIGHT:
        raise StudioError(f"1 to {MOST_LIGHT} pictures, got {len(ids)}", field="jpeg")
    if len(ids) > 1:

        def pack(file: BinaryIO) -> str:
            return " · ".join(write_jpegs(history, ids, file, settings).said())

        return _packed("jpegs.zip", pack)
    left = Left()
    ((name, data),) = jpegs(history, ids, left, settings)

    def write(file: BinaryIO) -> str:
        file.write(data)
        return " · ".join(left.said())

    return _packed(name, write)


def sheet(history: History, ids: list[str]) -> dict[str, Any]:
    """The pictures on one, in their order, without presets; what cannot be read is left out and named.

    Raises:
        StudioError: fewer than two that can be read, or too many.
    """
    drawn = sheet_of(history, ids)

    def write(file: BinaryIO) -> str:
        drawn.whole.save(file, "PNG")
        return " · ".join(filter(None, [said_lost(drawn.lost), drawn.smaller]))

    return _packed("sheet.png", write)


def animation(history: History, ids: list[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The pictures one after the other, from the oldest on: ``kind``, ``rate`` (pictures a second) and
    ``back``. What cannot be read is left out and named.

    Raises:
        StudioError: fewer than two that can be read and differ, too many, what is asked for is none of
            these, or another animation is being made.
    """
    kind, rate = read_kind(asked.get("kind", "webp")), read_rate(asked.get("rate", 5))
    if not _ANIMATING.acquire(blocking=False):
        raise StudioError("another animation is being made; ask again in a moment")
    try:
        found = moving(history, ids, oldest_first=True)

        def write(file: BinaryIO) -> str:
            found.write(file, kind, rate, bool(asked.get("back")))
            return " · ".join(filter(None, [said_lost(found.lost), found.smaller]))

        return _packed(f"animation.{kind}", write)
    finally:
        _ANIMATING.release()


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
