"""Pictures of a history as one ZIP file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import IO

from studio.errors import StudioError
from studio.history.store import History

TOLD = 5  # names: more than these nobody reads


def write_zip(history: History, ids: Iterable[str], file: IO[bytes]) -> list[str]:
    """Write the pictures of these ids, presets included.

    Of two that share a name, the second one's begins with its id.

    Returns:
        The names of those that cannot be read, and are left out.

    Raises:
        StudioError: none can be read.
        OSError: ``file`` cannot be written to.
    """
    used: set[str] = set()
    lost: list[str] = []
    # A picture from a medium without dates is of 1970, ten years before a ZIP's time begins.
    with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
        for one in ids:
            record = history.get(one)
            path = history.file(record)
            name = PurePath(record.path).name  # in the bin a file is called by its id
            entry = name if name not in used else f"{record.id}-{name}"
            try:
                path.open("rb").close()
            except OSError:
                lost.append(name)
                continue
            used.add(entry)
            archive.write(path, entry)
    if lost and not used:
        raise StudioError(said_lost(lost), field="history")
    return lost


def said_lost(names: Sequence[str]) -> str:
    """One line on pictures whose files cannot be read; "" where there is none."""
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return (
        f"left out, as their files cannot be read: {', '.join(names[:TOLD])}{more}" if names else ""
    )
