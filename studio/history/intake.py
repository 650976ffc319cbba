"""Taking in the pictures that lie in the outputs folder, in the background, a few hundred at a time."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

from studio.errors import MissingFile, StudioError
from studio.files import entries, holds_something, is_text
from studio.history.record import Record, record_of
from studio.history.store import History
from studio.images import SUFFIXES, size_checked
from studio.outputs import DEPTH

AT_ONCE = 200
PAUSE_SECONDS = 10.0
_running: WeakKeyDictionary[History, threading.Thread] = WeakKeyDictionary()
_ended: WeakKeyDictionary[History, float] = WeakKeyDictionary()
_lock = threading.Lock()


def name_of(outputs: Path, file: Path) -> str:
    """What a picture is called in the history: its path below the outputs, else its whole path."""
    with suppress(ValueError):
        return file.relative_to(outputs).as_posix()
    return str(file)


def once_held(history: History, outputs: Path, file: Path) -> bool:
    """Whether a picture of the history has or had this file's name; not where it cannot be read,
    since the picture is to be saved all the same."""
    try:
        return history.knew(name_of(outputs, file))
    except StudioError:
        return False


def take_in(history: History, stop: threading.Event | None = None) -> int:
    """Bring the history to what lies on disk. Returns how many pictures are new or changed.

    Raises:
        StudioError: the database cannot be written.
    """
    known, seen, fresh, count = history.known(), set(), [], 0
    above = len(os.path.join(history.outputs, ""))
    for item in entries(history.outputs, tuple(SUFFIXES), DEPTH):
        if stop is not None and stop.is_set():
            return count
        path = item.path[above:].replace(os.sep, "/")  # as name_of has it, in a fifth of its time
        if not is_text(path) or not holds_something(item):
            continue
        seen.add(path)
        with suppress(OSError):
            state = item.stat()
            if known.get(path) != (state.st_size, state.st_mtime_ns):
                fresh.append(_read(history, Path(item.path), path))
        if len(fresh) >= AT_ONCE:
            history.add(*fresh)
            count, fresh = count + len(fresh), []
    history.add(*fresh)
    history.lose(path for path in known if path not in seen)
    return count + len(fresh) + _deleted(history)


def _read(history: History, file: Path, path: str) -> Record:
    """A file's record. Of one that was a picture and is none any more, what is known of it stays."""
    found = record_of(file, path)
    if found.problem and not _is_picture(file):
        with suppress(MissingFile):
            before = history.get(found.id)
            if before.deleted is None:  # else the picture lies whole in the bin
                state = {"problem": found.problem, "bytes": found.bytes, "changed": found.changed}
                return replace(before, **state)
    return found


def _is_picture(file: Path) -> bool:
    try:
        size_checked(file, "picture")
    except StudioError:
        return False
    return True


def _deleted(history: History) -> int:
    """What lies in the bin and is not known: the database was made anew."""
    found: list[Record] = []
    for identity, path, deleted in history.binned():
        file = history.bin.place(identity, path)
        with suppress(OSError):
            found.append(replace(record_of(file, path), deleted=deleted))
    history.add(*found)
    return len(found)


def begin(history: History) -> float:
    """Take in what lies on disk in a thread of its own: one at a time for each history, and not
    again within ``PAUSE_SECONDS``. Returns the seconds until it may be asked for again; 0 where it
    goes on now."""
    with _lock:
        if busy(history):
            return 0.0
        left = _ended.get(history, -PAUSE_SECONDS) + PAUSE_SECONDS - time.monotonic()
        if left > 0:
            return left

        def run() -> None:
            try:
                with suppress(StudioError):
                    take_in(history)
            finally:
                _ended[history] = time.monotonic()

        thread = threading.Thread(target=run, name="history", daemon=True)
        _running[history] = thread
        thread.start()
    return 0.0


def busy(history: History) -> bool:
    """Whether pictures are being taken in now."""
    thread = _running.get(history)
    return thread is not None and thread.is_alive()


def caught_up(history: History) -> bool:
    """Whether it holds what lay on disk when this process last looked; ``False`` before that."""
    return history in _ended and not busy(history)


def wait(history: History, seconds: float = 60.0) -> bool:
    """Wait for what :func:`begin` does. Returns whether it has ended."""
    thread = _running.get(history)
    if thread is not None:
        thread.join(seconds)
    return thread is None or not thread.is_alive()
