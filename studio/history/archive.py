"""Pictures of a history outside it: what they are called there, and all of them as one ZIP file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import IO

from studio.errors import StudioError, some_of
from studio.history.store import History

TOLD = 5  # names: more than these nobody reads


def write_zip(history: History, ids: Iterable[str], file: IO[bytes]) -> list[str]:
    """Write the pictures of these ids, presets included, as :func:`named` calls them.

    Returns:
        The names of those that cannot be read, and are left out.

    Raises:
        StudioError: none can be read.
        OSError: ``file`` cannot be written to.
    """
    lost: list[str] = []
    # A picture from a medium without dates is of 1970, ten years before a ZIP's time begins.
    with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
        for path, name in named(history, ids, lost):
            archive.write(path, name)
    return lost


def named(
    history: History, ids: Iterable[str], lost: list[str], suffix: str = ""
) -> Iterator[tuple[Path, str]]:
    """Each picture's file, and a name for it outside the history that no other of them has: of two
    that share one, the second one's begins with its id.

    Args:
        lost: takes the names of those that cannot be read, and are left out.
        suffix: of the names, in place of the files' own.

    Raises:
        StudioError: none can be read; after the last.
    """
    used: set[str] = set()
    for one in ids:
        record = history.get(one)
        path = history.file(record)
        own = PurePath(record.path).name  # in the bin a file is called by its id
        name = PurePath(own).stem + suffix if suffix else own
        while (
            name.casefold() in used
        ):  # some disks take names for one that differ by their capitals
            name = f"{record.id}-{name}"
        try:
            path.open("rb").close()
        except OSError:
            lost.append(own)
            continue
        used.add(name.casefold())
        yield path, name
    if lost and not used:
        raise StudioError(said_lost(lost), field="history")


def said_lost(names: Sequence[str]) -> str:
    """One line on pictures whose files cannot be read; "" where there is none."""
    return f"left out, as their files cannot be read: {some_of(names, TOLD)}" if names else ""


def said_bare(names: Sequence[str]) -> str:
    """One line on pictures whose presets or texts did not go along; "" where there is none."""
    what = "without what makes them again, too long for a JPEG or not readable"
    return f"{what}: {some_of(names, TOLD)}" if names else ""
