"""Pictures of a history as one ZIP file."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import IO

from studio.errors import StudioError
from studio.history.store import History


def write_zip(history: History, ids: Iterable[str], file: IO[bytes]) -> int:
    """Write the pictures of these ids, presets included, and say how many there are.

    Of two that share a name, the second one's begins with its id.

    Raises:
        StudioError: a picture cannot be read; names it.
        OSError: ``file`` cannot be written to.
    """
    used: set[str] = set()
    # A picture from a medium without dates is of 1970, ten years before a ZIP's time begins.
    with zipfile.ZipFile(file, "w", strict_timestamps=False) as archive:
        for one in ids:
            record = history.get(one)
            path = history.file(record)
            entry = path.name if path.name not in used else f"{record.id}-{path.name}"
            used.add(entry)
            try:
                path.open("rb").close()
            except OSError as error:
                raise StudioError(f"cannot be read ({error.strerror})", field=path.name) from error
            archive.write(path, entry)
    return len(used)
