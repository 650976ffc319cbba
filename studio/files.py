"""Writing files so that nobody ever sees half of one, and nothing is overwritten unasked."""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from contextlib import suppress
from itertools import count
from pathlib import Path

from studio.errors import StudioError


def slug(text: str, limit: int = 40) -> str:
    """``text`` as a plain file name: lower case, ASCII letters and digits, hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:limit].strip("-")


def write_atomically(path: Path, data: bytes) -> Path:
    """Write ``data`` to ``path``, replacing what was there in one step.

    Raises:
        StudioError: the folder cannot be written to; names the file.
    """
    temporary = _write_temporary(path, data)
    try:
        os.replace(temporary, path)
    except OSError as error:
        _discard(temporary)
        raise _unwritable(path, error) from error
    return path


def write_new(folder: Path, stem: str, suffix: str, data: bytes) -> Path:
    """Write ``data`` to a name that was free: ``stem.suffix``, else ``stem-2.suffix`` and on.

    Raises:
        StudioError: the folder cannot be written to; names the file.
    """
    path = folder / f"{stem}{suffix}"
    temporary = _write_temporary(path, data)
    try:
        for number in count(2):
            if _claim(temporary, path):
                return path
            path = folder / f"{stem}-{number}{suffix}"
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _discard(temporary)
    raise AssertionError("unreachable")


def _claim(temporary: Path, path: Path) -> bool:
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
        os.replace(temporary, path)
    return True


def _write_temporary(path: Path, data: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    except OSError as error:
        raise _unwritable(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        temporary.chmod(0o644)
    except OSError as error:
        _discard(temporary)
        raise _unwritable(path, error) from error
    return temporary


def _discard(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _unwritable(path: Path, error: OSError) -> StudioError:
    return StudioError(f"cannot be written ({error.strerror or error})", field=str(path))
