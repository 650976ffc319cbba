"""The guard of one entry of the library: whatever goes wrong with a file stays with that file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.files import open_regular, shown
from studio.library.entry import ModelEntry
from studio.library.headers import read_header

MAX_HEADER_BYTES = 16 * 2**20  # of what is listed; SDXL's has 0.3 MB, a LoRA's with its tags a few


def guarded(
    look: Callable[[], ModelEntry | None], refused: Callable[[str], ModelEntry]
) -> ModelEntry | None:
    """What ``look`` finds, each value of the type that it must have.

    Args:
        look: finds an entry; may raise anything, since anything can stand in a stranger's file.
        refused: makes the entry that says why it cannot be used.
    """
    try:
        entry = look()
        return None if entry is None else entry.checked()
    except Exception as error:
        return refused(damage(error))


def damage(error: Exception) -> str:
    """An error while a file was looked at, as the reason why that file cannot be used."""
    if isinstance(error, RecursionError):
        return "is damaged (nested too deeply)"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    reason = shown(" ".join(text.split())[:200])
    if not (isinstance(error, OSError | ValueError) and reason):
        reason = f"{type(error).__name__}: {reason}"
    return f"is damaged ({reason})"


def header_of(file: Path) -> dict[str, Any]:
    """The header of a safetensors file, unless it would take long to read.

    Raises:
        ValueError: truncated, no header, or one of more than ``MAX_HEADER_BYTES``.
        OSError: it is no regular file.
    """
    with open_regular(file, 2**60) as opened:
        length = int.from_bytes(opened.read(8), "little")
    if MAX_HEADER_BYTES < length <= os.path.getsize(file):
        raise ValueError(f"a header of {length} bytes; at most {MAX_HEADER_BYTES} are read")
    return read_header(file)
