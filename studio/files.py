"""Files: written so that nobody ever sees half of one, and read without trusting what lies there.

What a folder holds may be anything: a pipe that never answers, a device, a name that is no text.
Reading takes regular files of bounded size only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import stat
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from studio.errors import StudioError
from studio.numbering import cut, free_number

PART = ".part"  # of a file that is being written
STALE_SECONDS = 24 * 3600  # a part that nobody has touched for a day belongs to nobody
MOST_LISTED = 100_000
_SWEEP_SECONDS = 3600.0  # between two looks for stale parts in one folder
# Names that Windows keeps for devices, whatever their suffix.
RESERVED = {"con", "prn", "aux", "nul", *(f"{k}{n}" for k in ("com", "lpt") for n in range(10))}
_swept: dict[str, float] = {}


def slug(text: str, limit: int = 40) -> str:
    """``text`` as a plain file name: lower case, ASCII letters and digits, hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    name = cut(re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-"), limit).strip("-")
    return f"{name}_" if name in RESERVED else name


def open_regular(path: str | Path, limit: int) -> BinaryIO:
    """Open a regular file of at most ``limit`` bytes; a pipe or a device is not waited for.

    Raises:
        OSError: there is none, it is something else than a file, or it is larger.
    """
    # Opening a pipe waits for a writer unless it is asked not to.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
    except ValueError as error:  # a name with a NUL in it
        raise OSError(errno.EINVAL, "is no name of a file") from error
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        if state.st_size > limit:
            raise OSError(errno.EFBIG, f"holds {state.st_size} bytes; at most {limit}", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: str | Path, limit: int) -> bytes:
    """The bytes of a regular file; raises as :func:`open_regular` does."""
    with open_regular(path, limit) as file:
        data = file.read(limit + 1)  # it may grow meanwhile
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"holds more than {limit} bytes", str(path))
    return data


def shown(name: str | Path) -> str:
    """A file's name as text that can be written anywhere, also where it is not UTF-8."""
    return os.fsencode(str(name)).decode("utf-8", "replace")


def is_text(name: str) -> bool:
    """Whether a name or a word is text: it holds no byte that was not UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def listed(folder: Path, suffixes: tuple[str, ...], depth: int = 0) -> Iterator[Path]:
    """Regular files below a folder by suffix, in no order; empty ones, and what cannot be looked
    at, are passed over.

    Args:
        depth: how many folders deep; 0 for the folder itself. Links to folders are not followed.
    """
    for item in entries(folder, suffixes, depth):
        if holds_something(item):
            yield Path(item.path)


def entries(folder: Path, suffixes: tuple[str, ...], depth: int) -> Iterator[os.DirEntry[str]]:
    """What is called as :func:`listed` wants it, without a look at any: of tens of thousands, that
    takes a second."""
    left = MOST_LISTED
    waiting = [(os.fspath(folder), depth)]
    while waiting and left:
        place, below = waiting.pop()
        for item in _items(place):
            left -= 1
            if left < 0:
                return
            with suppress(OSError):
                if item.is_dir(follow_symlinks=False):
                    if below and not item.name.startswith("."):
                        waiting.append((item.path, below - 1))
                elif item.name.endswith(suffixes):
                    yield item


def holds_something(item: os.DirEntry[str]) -> bool:
    """A regular file that is not empty; an empty one is a name that a write reserved."""
    try:
        state = item.stat()
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and state.st_size > 0


def _items(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return list(items)
    except (OSError, ValueError):
        return []


def clear_parts(folder: Path) -> None:
    """Remove what writes that were killed left in a folder; at most once an hour for each."""
    now = time.time()
    if now - _swept.get(str(folder), 0.0) < _SWEEP_SECONDS:
        return
    _swept[str(folder)] = now
    for item in _items(str(folder)):
        if item.name.startswith(".") and item.name.endswith(PART):
            with suppress(OSError):
                state = item.stat(follow_symlinks=False)
                if stat.S_ISREG(state.st_mode) and now - state.st_mtime > STALE_SECONDS:
                    os.unlink(item.path)


def write_atomically(path: Path, data: bytes) -> Path:
    """Write ``data`` to ``path``, replacing what was there in one step.

    Raises:
        StudioError: the folder cannot be written to; names the file.
    """
    temporary = _write_temporary(path, lambda file: file.write(data))
    try:
        os.replace(temporary, path)
    except OSError as error:
        _discard(temporary)
        raise _unwritable(path, error) from error
    return path


def write_new(
    folder: Path,
    stem: str,
    suffix: str,
    data: bytes,
    taken: Callable[[Path], bool] = lambda path: False,
) -> Path:
    """Write ``data`` to a name that was free: ``stem.suffix``, else ``stem-2.suffix`` and on.

    Args:
        taken: whether a name is not to be had, though no file has it.

    Raises:
        StudioError: the folder cannot be written to; names the file.
    """

    def free(path: Path) -> bool:
        return not taken(path) and not os.path.lexists(path)

    path = folder / f"{stem}{suffix}"
    temporary = _write_temporary(path, lambda file: file.write(data))
    try:
        while not (free(path) and claim(temporary, path)):
            number = free_number(lambda number: free(folder / f"{stem}-{number}{suffix}"))
            path = folder / f"{stem}-{number}{suffix}"
        return path
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _discard(temporary)


def write_once(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Have ``write`` fill a file of a name that is free; nobody sees it before it is whole.

    Raises:
        StudioError: the name is taken, or the folder cannot be written to; names the file.
    """
    taken = StudioError("is there already; name another file", field=str(path))
    if path.exists():  # said before the work
        raise taken
    temporary = _write_temporary(path, write)
    try:
        if not claim(temporary, path):
            raise taken
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _discard(temporary)


def claim(temporary: Path, path: Path) -> bool:
    """Give ``temporary`` the name ``path`` unless that is taken."""
    try:
        os.link(temporary, path)  # fails where the name exists, unlike a rename
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links: reserve the name, then replace
        try:
            path.open("xb").close()
        except FileExistsError:
            return False
        try:
            os.replace(temporary, path)
        except OSError:
            _discard(path)  # the name that was reserved: nothing stands under it
            raise
    return True


def replace_folder(new: Path, target: Path, aside: Path) -> None:
    """Put the folder ``new`` in the place of ``target``, of which nothing is left afterwards.

    Where the system can exchange two names in one step, whoever is killed meanwhile has one of the
    two in the place; elsewhere it may be ``aside`` for a moment. Raises as ``os.replace`` does,
    and then ``target`` is what it was.
    """
    if not target.exists():
        os.replace(new, target)
        return
    if _exchange(new, target):
        shutil.rmtree(new, ignore_errors=True)
        return
    shutil.rmtree(aside, ignore_errors=True)
    os.replace(target, aside)
    try:
        os.replace(new, target)
    except OSError:
        os.replace(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux's renameat2


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; whether this system and file system can."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        swap = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    return swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


def _write_temporary(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_parts(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=PART)
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        temporary.chmod(0o644)
    except BaseException as error:
        _discard(temporary)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise
    return temporary


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _unwritable(path: Path, error: OSError) -> StudioError:
    return StudioError(f"cannot be written ({error.strerror or error})", field=str(path))
