"""The history's database file: opened with care, put aside where it is damaged, shared with others."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from studio.errors import StudioError, shorten
from studio.history.tables import migrate

WAIT_SECONDS = 10.0  # for another process that writes


class Database:
    """A connection that threads share, to ``studio.db`` in a folder.

    Args:
        home: the folder; ``None`` for a database in memory.

    Raises:
        StudioError: another program holds the file.
    """

    def __init__(self, home: Path | None) -> None:
        self.home, self.notice = home, ""
        self._lock = threading.RLock()
        self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise StudioError("another program holds it", field="studio.db") from error
            connection = self._anew(error)
        return connection

    def _connect(self) -> sqlite3.Connection:
        if self.home is not None:
            with suppress(OSError):
                self.home.mkdir(parents=True, exist_ok=True)
        place = ":memory:" if self.home is None else str(self.home / "studio.db")
        connection = sqlite3.connect(
            place, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection)
            (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if state != "ok":
                raise sqlite3.DatabaseError(state)
        except BaseException:
            connection.close()
            raise
        return connection

    def _anew(self, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        """Put a database that cannot be read aside, and begin another: the pictures fill it."""
        assert self.home is not None
        self.notice = "the history could not be read and is made anew from the pictures"
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for name in ("studio.db", "studio.db-wal", "studio.db-shm"):
            with suppress(OSError):
                (self.home / name).rename(self.home / f"{name}.damaged-{stamp}")
        try:
            return self._connect()
        except sqlite3.DatabaseError:  # a home that cannot be written to: in memory, this time
            self.notice = f"the history cannot be kept here ({shorten(str(error))})"
            self.home = None
            return self._connect()

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: whole at the end of the block, or not at all.

        Raises:
            StudioError: the database cannot be written.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise StudioError(f"cannot be written ({error})", field="studio.db") from error
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def read(self, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query.

        Raises:
            StudioError: the database cannot be read.
        """
        with self._lock:
            try:
                return self._connection.execute(sql, given).fetchall()
            except sqlite3.Error as error:
                raise StudioError(f"cannot be read ({error})", field="studio.db") from error
