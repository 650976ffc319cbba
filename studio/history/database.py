"""The history's database file: opened with care, put aside where it is damaged, shared with others."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from studio.errors import StudioError, shorten
from studio.history.tables import check_columns, migrate

WAIT_SECONDS = 10.0  # for another process that writes
HELD = "another program holds it"
_hurry: ContextVar[float | None] = ContextVar("hurry", default=None)
# Python decodes the message of an error too: one that names what is damaged may be no text.
_ERRORS = (sqlite3.Error, UnicodeDecodeError)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# Of a full disk, or one that cannot be written to: the file itself is as it was.
_UNWRITABLE = (
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL),
    *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM),
)


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Let what is read in this block wait no longer for whatever holds the database, and then fail."""
    token = _hurry.set(seconds)
    try:
        yield
    finally:
        _hurry.reset(token)


def _seconds() -> float:
    hurry = _hurry.get()
    return WAIT_SECONDS if hurry is None else hurry


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
        except _ERRORS as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise StudioError(HELD, field="studio.db") from error
            connection = self._anew(error)
        return connection

    def _connect(self) -> sqlite3.Connection:
        if self.home is not None:
            with suppress(OSError):
                self.home.mkdir(parents=True, exist_ok=True)
        place = ":memory:" if self.home is None else str(self.home / "studio.db")
        connection = sqlite3.connect(
            place, timeout=_seconds(), isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection)
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if state != "ok":
                raise sqlite3.DatabaseError(state)
            check_columns(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _anew(self, error: Exception) -> sqlite3.Connection:
        """Put a database that cannot be read aside, and begin another: the pictures fill it.

        Where it cannot be written to, it stays as it is, and this time the history is in memory.
        """
        if self.home is not None and _code(error) not in _UNWRITABLE:
            self._set_aside(self.home)
            try:
                return self._connect()
            except _ERRORS as again:
                error = again
        self.notice = f"the history cannot be kept here ({shorten(str(error))})"
        self.home = None
        return self._connect()

    def _set_aside(self, home: Path) -> None:
        self.notice = "the history could not be read and is made anew from the pictures"
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for name in ("studio.db", "studio.db-wal", "studio.db-shm"):
            with suppress(OSError):
                (home / name).rename(home / f"{name}.damaged-{stamp}")

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
        with self._turn():
            try:
                self._limit()
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except _ERRORS as error:
                with suppress(*_ERRORS):
                    self._connection.execute("ROLLBACK")
                self._mend(error)
                raise StudioError(f"cannot be written ({error})", field="studio.db") from error
            except BaseException:
                with suppress(*_ERRORS):
                    self._connection.execute("ROLLBACK")
                raise

    def read(self, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query.

        Raises:
            StudioError: the database cannot be read.
        """
        with self._turn():
            try:
                self._limit()
                return self._connection.execute(sql, given).fetchall()
            except _ERRORS as error:
                self._mend(error)
                raise StudioError(f"cannot be read ({error})", field="studio.db") from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The connection for one thread; another's that waits is waited for as the file is."""
        hurry = _hurry.get()
        if not self._lock.acquire(timeout=-1 if hurry is None else hurry):
            raise StudioError(HELD, field="studio.db")
        try:
            yield
        finally:
            self._lock.release()

    def _limit(self) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {round(_seconds() * 1000)}")

    def _mend(self, error: Exception) -> None:
        """Where an error says that the file is damaged, begin another: the next call finds it."""
        damaged = isinstance(error, UnicodeDecodeError) or _code(error) in _DAMAGED
        if self.home is not None and damaged:
            self._connection.close()
            self._connection = self._anew(error)


def _code(error: Exception) -> int:
    """SQLite's number of an error's kind; 0 where it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
