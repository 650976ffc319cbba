"""The folder in which a merged model grows, and how it gets its name in the library."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from studio.errors import StudioError
from studio.home import models_folder
from studio.library.hub_pipelines import INDEX, is_whole

COMING = ".merging-"  # before the name of a folder that is not whole; the library passes it over
_LOCK = ".lock"


@contextmanager
def growing(name: str) -> Iterator[Path]:
    """An empty folder beside the models, which is gone afterwards unless it was given its name.

    What others left who were killed goes, too.

    Raises:
        StudioError: it cannot be written; names the place.
    """
    place = models_folder()
    folder = place / f"{COMING}{name[:20]}-{uuid.uuid4().hex[:8]}"
    lock = FileLock(f"{folder}{_LOCK}", timeout=0)
    try:
        place.mkdir(parents=True, exist_ok=True)
        _clear(place)
        with suppress(NotImplementedError, Timeout):  # a disk that takes no locks
            lock.acquire()
        folder.mkdir()
    except OSError as error:
        _end(folder, lock)
        raise StudioError(
            f"cannot be written ({error.strerror or error})", field=str(place)
        ) from error
    try:
        yield folder
    finally:
        _end(folder, lock)


def _end(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        Path(lock.lock_file).unlink()
    lock.release()


def _clear(place: Path) -> None:
    """Folders whose lock nobody holds: their program has ended, or was killed."""
    for folder in place.glob(f"{COMING}*"):
        if folder.name.endswith(_LOCK):
            continue
        lock = FileLock(f"{folder}{_LOCK}", timeout=0)
        with suppress(OSError, NotImplementedError, Timeout):
            lock.acquire()
            _end(folder, lock)


def publish(folder: Path, target: Path, decodes: bool) -> None:
    """Give the whole folder its name in the library, unless that has been taken meanwhile.

    Args:
        decodes: whether it has an autoencoder.

    Raises:
        StudioError: it is taken, or the folder is not whole; names ``name`` or ``A``.
        OSError: it cannot be renamed.
    """
    if (folder / INDEX).is_file() and not is_whole(folder, decodes):
        raise StudioError("has not all its parts; fetch it again", field="A")
    if os.path.lexists(target):
        raise StudioError(f"{target.name} is there already; choose another name", field="name")
    folder.chmod(0o755)
    os.rename(folder, target)
