"""Files that one program or thread at a time reads to write them anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock, Timeout

from studio.errors import StudioError

# Where a place takes no locks, one program's threads wait for each other.
_UNLOCKED = threading.Lock()


@contextmanager
def held(path: Path, seconds: float = 20.0) -> Iterator[None]:
    """Keep ``path`` from others, threads and programs alike, that read it to write it anew.

    Raises:
        StudioError: another has it for longer than ``seconds``; names the file.
    """
    try:
        lock = acquired(path, seconds)
    except Timeout as error:
        raise StudioError("is being changed by another program", field=path.name) from error
    try:
        # Without one, writing says what such a place takes.
        with _UNLOCKED if lock is None else nullcontext():
            yield
    finally:
        if lock is not None:
            lock.release()


def acquired(path: Path, seconds: float) -> FileLock | None:
    """A lock beside ``path``, held until it is released; ``None`` where the place takes none.

    Raises:
        Timeout: another has it for longer than ``seconds``.
    """
    lock = FileLock(f"{path}.lock", timeout=seconds)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:  # which is an OSError, too
        raise
    except (OSError, NotImplementedError):
        return None
    return lock
