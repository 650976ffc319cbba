"""What headers say of files, kept between starts, so that a large library opens at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.files import read_regular, write_atomically
from studio.library.adapter_kinds import ADAPTER_KINDS
from studio.library.families import FAMILIES

MAX_BYTES = 256 * 2**20


def version() -> str:
    """Changes with the code that looks at files, and with the families and kinds that it knows."""
    return _digest((*FAMILIES, *ADAPTER_KINDS))


@lru_cache(maxsize=8)
def _digest(known: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr(known).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


class Index:
    """Fields of files by path, valid while size and modification time stay.

    Args:
        path: where it is kept; an unreadable or older one is begun anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, list[Any]] = {}
        self._seen: dict[str, list[Any]] = {}
        with suppress(OSError, ValueError, AttributeError, TypeError, KeyError, RecursionError):
            data = json.loads(read_regular(path, MAX_BYTES))
            if data.get("version") == version():
                self._known = dict(data["files"])

    def get(
        self, path: str, modified: int, size: int, look: Callable[[], dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        """The fields of a file; ``look`` reads its header when they are not known."""
        record = self._known.get(path)
        if record is None or not _is_record(record) or record[:2] != [modified, size]:
            return self.renew(path, modified, size, look)
        self._seen[path] = record
        return None if record[2] is None else dict(record[2])

    def renew(
        self, path: str, modified: int, size: int, look: Callable[[], dict[str, Any] | None]
    ) -> dict[str, Any] | None:
        """The same, looked at anew in any case."""
        record = [modified, size, look()]
        self._seen[path] = record
        return None if record[2] is None else dict(record[2])

    def save(self) -> None:
        """Keep what was seen; a folder that cannot be written to is no reason to stop."""
        elsewhere = self._known.keys() - self._seen.keys()
        new = {path: self._known[path] for path in elsewhere if os.path.exists(path)} | self._seen
        if new != self._known:
            with suppress(StudioError):
                text = json.dumps({"version": version(), "files": new})
                write_atomically(self.path, text.encode())


def _is_record(record: Any) -> bool:
    return (
        isinstance(record, list)
        and len(record) == 3
        and (record[2] is None or isinstance(record[2], dict))
    )
