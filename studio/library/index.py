"""What headers say of files, kept between starts, so that a large library opens at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import write_atomically
from studio.library.families import FAMILIES

VERSION = 3


class Index:
    """Fields of files by path, valid while size and modification time stay.

    Args:
        path: where it is kept; an unreadable or older one is begun anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, list[Any]] = {}
        self._seen: dict[str, list[Any]] = {}
        with suppress(OSError, ValueError, AttributeError):
            data = json.loads(path.read_text(encoding="utf-8"))
            if data.get("version") == _version():
                self._known = dict(data["files"])

    def get(
        self, path: str, modified: int, size: int, look: Callable[[], dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        """The fields of a file; ``look`` reads its header when they are not known."""
        record = self._known.get(path)
        if not (isinstance(record, list) and record[:2] == [modified, size] and len(record) == 3):
            record = [modified, size, look()]
        self._seen[path] = record
        return None if record[2] is None else dict(record[2])

    def save(self) -> None:
        """Keep what was seen; a folder that cannot be written to is no reason to stop."""
        elsewhere = self._known.keys() - self._seen.keys()
        new = {path: self._known[path] for path in elsewhere if os.path.exists(path)} | self._seen
        if new != self._known:
            with suppress(StudioError):
                text = json.dumps({"version": _version(), "files": new}, ensure_ascii=False)
                write_atomically(self.path, text.encode())


def _version() -> list[object]:
    """What headers are read by: this code, and the families that it knows."""
    return [VERSION, *FAMILIES]
