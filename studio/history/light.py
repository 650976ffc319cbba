"""Pictures of a history as JPEG files outside it, one or many."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import IO

from studio.errors import StudioError
from studio.history.archive import named, said_lost
from studio.history.store import History
from studio.share.lighter import SUFFIX, as_jpeg


def jpegs(history: History, ids: Iterable[str], lost: list[str]) -> Iterator[tuple[str, bytes]]:
    """Each picture's name, which no other of them has, and its JPEG.

    Args:
        lost: takes the names of those that cannot be read, and are left out.

    Raises:
        StudioError: none can be read; after the last.
    """
    some = False
    for path, name in named(history, ids, lost):
        try:
            data = as_jpeg(path)
        except StudioError:
            lost.append(name)
            continue
        some = True
        yield PurePath(name).stem + SUFFIX, data
    if lost and not some:
        raise StudioError(said_lost(lost), field="history")


def write_jpegs(history: History, ids: Iterable[str], file: IO[bytes]) -> list[str]:
    """Write them as one ZIP file.

    Returns:
        The names of those that cannot be read, and are left out.

    Raises:
        StudioError: none can be read.
        OSError: ``file`` cannot be written to.
    """
    lost: list[str] = []
    with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
        for name, data in jpegs(history, ids, lost):
            archive.writestr(name, data)
    return lost
