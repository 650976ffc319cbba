"""Presets and styles that were deleted or replaced: their files, whole, until they are brought back."""

from __future__ import annotations

import filecmp
import hashlib
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from studio.errors import MissingFile
from studio.home import presets_bin

GONE = "it is not there any more"
_TOKEN = re.compile(r"(presets|styles)-[0-9a-f]{16}")


@contextmanager
def put_aside(main: Path, beside: Path | None = None) -> Iterator[str]:
    """Copy files into the bin that go or change within the context; where that fails before ``main`` has,
    their copies go again.

    Args:
        beside: another, passed over where it is not there.

    Yields:
        What :func:`kept_aside` finds them by.

    Raises:
        MissingFile: ``main`` is not there, or the bin cannot be written to; names the file.
    """
    token = f"{main.parent.name}-{secrets.token_hex(8)}"
    folder = presets_bin() / token
    try:
        _copy([main, *filter(None, [beside])], folder)
    except BaseException:
        _remove(folder)
        raise
    try:
        yield token
    except BaseException:
        with suppress(OSError):
            if filecmp.cmp(main, folder / main.name, shallow=False):
                _remove(folder)
        raise


def _copy(files: Iterable[Path], folder: Path) -> None:
    for place, file in enumerate(files):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, folder / file.name)
        except FileNotFoundError as error:
            if place == 0:
                raise MissingFile(GONE, field=file.name) from error
        except OSError as error:
            why = f"cannot be put into the bin ({error.strerror})"
            raise MissingFile(why, field=file.name) from error


def kept_aside(token: str, of: Path) -> list[Path]:
    """The files that were put aside together, by name.

    Args:
        of: the folder that they lay in.

    Raises:
        MissingFile: they are not there any more.
    """
    known = _TOKEN.fullmatch(token)
    found = sorted((presets_bin() / token).glob("*")) if known and known[1] == of.name else []
    if not found:
        raise MissingFile(GONE, field="bin")
    return found


def digest(data: bytes) -> str:
    """By which what was written in a file's place is known again."""
    return hashlib.sha256(data).hexdigest()[:16]


def drop(token: str) -> None:
    """Remove what has been brought back."""
    if _TOKEN.fullmatch(token):
        _remove(presets_bin() / token)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
