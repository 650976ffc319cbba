"""Pictures of a history as JPEG files outside it, one or many."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import IO

from studio.errors import StudioError
from studio.history.archive import named, said_bare, said_lost
from studio.history.store import History
from studio.share.lighter import SUFFIX, Lighter, alone, lighter


@dataclass
class Left:
    """Names of the pictures that are left out, as they cannot be read (``lost``), and of those whose
    preset or text did not go along (``bare``)."""

    lost: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)

    def said(self) -> list[str]:
        """A line on each kind that there is."""
        return [line for line in (said_lost(self.lost), said_bare(self.bare)) if line]


def jpegs(
    history: History, ids: Iterable[str], left: Left, settings: bool = True
) -> Iterator[tuple[str, bytes]]:
    """Each picture's name, which no other of them has, and its JPEG.

    Args:
        settings: whether presets and texts go along; without them no name says a prompt either.
        left: takes the names of those that are left out, or go without their presets.

    Raises:
        StudioError: none can be read; after the last.
    """
    count = 0
    for path, name in named(history, ids, left.lost, SUFFIX):
        own = PurePath(name).stem + path.suffix
        try:
            light = lighter(path) if settings else Lighter(alone(path), complete=True)
        except StudioError:
            left.lost.append(own)
            continue
        count += 1
        if not light.complete:
            left.bare.append(own)
        yield name if settings else f"picture-{count}{SUFFIX}", light.data
    if left.lost and not count:
        raise StudioError(said_lost(left.lost), field="history")


def write_jpegs(
    history: History, ids: Iterable[str], file: IO[bytes], settings: bool = True
) -> Left:
    """Write them as one ZIP file.

    Returns:
        The names of those that are left out, or go without their presets.

    Raises:
        StudioError: none can be read.
        OSError: ``file`` cannot be written to.
    """
    left = Left()
    with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
        for name, data in jpegs(history, ids, left, settings):
            archive.writestr(name, data)
    return left
