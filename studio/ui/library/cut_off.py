"""A note on disk of work that is under way, so that the next start can say that it was cut off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from filelock import FileLock, Timeout

from studio.errors import StudioError
from studio.files import read_regular, write_atomically
from studio.home import cache_folder
from studio.locks import acquired

MOST_BYTES = 1_000_000


class Note:
    """Of one kind of work; the program that is at it holds its lock.

    Args:
        name: of the kind.
    """

    def __init__(self, name: str) -> None:
        self._path = cache_folder() / f"{name}.json"
        self._lock: FileLock | None = None

    def write(self, given: Mapping[str, Any]) -> None:
        """Note what a form asked for. Where that cannot be written, a start anew says nothing."""
        with suppress(OSError, StudioError):  # Timeout too: another program is at such work
            self._lock = acquired(self._path, 0)
            if self._lock is None:  # a place without locks: nobody could tell whose it is
                return
            write_atomically(self._path, json.dumps(dict(given)).encode())

    def clear(self) -> None:
        """The work has ended."""
        if self._lock is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """The program ends in the midst of it: the note stays for the next start."""
        lock, self._lock = self._lock, None
        if lock is not None:
            with suppress(OSError):
                lock.release()

    def left(self) -> dict[str, Any]:
        """What a program was at that has ended, told once; empty where there is nothing."""
        try:
            if not self._path.is_file():
                return {}
            lock = acquired(self._path, 0)
        except (OSError, Timeout):  # another program is at it
            return {}
        try:
            given = json.loads(read_regular(self._path, MOST_BYTES))
            self._path.unlink()
        except (OSError, ValueError, StudioError, RecursionError):
            return {}
        finally:
            if lock is not None:
                lock.release()
        return given if isinstance(given, dict) else {}
