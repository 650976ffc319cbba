"""A visitor's history, which is in memory: no database is made before somebody looks into it."""

from __future__ import annotations

import threading
from pathlib import Path

from studio.history import History, Record


class Unopened:
    """The records of what one visitor made, as cheap as a list until they are searched.

    An empty database in memory takes a quarter of a MiB, and most visitors never open the tab.

    Args:
        folder: where the visitor's pictures are.
    """

    def __init__(self, folder: Path) -> None:
        self.outputs = folder
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._history: History | None = None

    def made(self, record: Record) -> None:
        """Take in a picture that was just made."""
        with self._lock:
            if self._history is None:
                self._records.append(record)
            else:
                self._history.made(record)

    def looked_into(self) -> History | None:
        """The history itself, where somebody has looked into it."""
        return self._history

    def opened(self) -> History:
        """The history itself, with everything that was made so far."""
        with self._lock:
            if self._history is None:
                self._history = History(None, self.outputs)
                for record in self._records:
                    self._history.made(record)
                self._records.clear()
            return self._history
