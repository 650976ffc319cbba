"""What people said of their pictures, line by line, so that it outlives the database.

One JSON object a line: ``{"id": …, "set": {field: value}}``. A line is written whole or, where a
crash cut it, passed over when the journal is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.files import open_regular

MAX_BYTES = 512 * 2**20
MAX_LINE = 2**20
# The fields that a picture's own file does not hold.
FIELDS = (
    *("forwards", "seconds", "scores", "parent"),
    *("starred", "note", "tags", "board", "deleted", "path"),
)


class Journal:
    """The journal in a file.

    Args:
        path: where it lies; ``None`` for one that keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def add(self, marks: Mapping[str, Mapping[str, Any]]) -> None:
        """Append fields by picture.

        Raises:
            OSError: it cannot be written.
        """
        if self.path is None or not marks:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(
            json.dumps({"id": one, "set": dict(fields)}, ensure_ascii=True) + "\n"
            for one, fields in marks.items()
        )
        start = "" if _ends_whole(self.path) else "\n"
        with self.path.open("ab", buffering=0) as file:
            file.write((start + text).encode())

    def read(self) -> dict[str, dict[str, Any]]:
        """The last value of every field by picture; lines that are none are passed over."""
        found: dict[str, dict[str, Any]] = {}
        if self.path is None:
            return found
        with suppress(OSError), open_regular(self.path, MAX_BYTES) as file:
            while line := file.readline(MAX_LINE):
                with suppress(ValueError, RecursionError, TypeError, AttributeError):
                    said = json.loads(line)
                    fields = {k: v for k, v in said["set"].items() if k in FIELDS}
                    found.setdefault(str(said["id"]), {}).update(fields)
        return found


def _ends_whole(path: Path) -> bool:
    """Whether the last line has its end: one that a crash cut must not swallow the next."""
    with suppress(OSError), path.open("rb") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    return True
