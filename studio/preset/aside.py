"""Presets and styles that were deleted or replaced: their files, whole, until they are brought back."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from studio.errors import MissingFile
from studio.home import presets_bin

GONE = "it is not there any more"
_TOKEN = re.compile(r"[0-9a-f]{16}")


def put_aside(files: Iterable[Path]) -> str:
    """Copy files that are about to go or to change into the bin; one that is not there is passed over.

    Returns:
        What :func:`kept_aside` finds them by.

    Raises:
        MissingFile: one cannot be read, or the bin cannot be written to; names the file.
    """
    token = secrets.token_hex(8)
    folder = presets_bin() / token
    for file in files:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy2(file, folder / file.name)
        except OSError as error:
            _remove(folder)
            why = f"cannot be put into the bin ({error.strerror})"
            raise MissingFile(why, field=file.name) from error
    return token


def kept_aside(token: str) -> list[Path]:
    """The files that were put aside together, by name.

    Raises:
        MissingFile: they are not there any more.
    """
    folder = presets_bin() / token
    found = sorted(folder.glob("*")) if _TOKEN.fullmatch(token) else []
    if not found:
        raise MissingFile(GONE, field="bin")
    return found


def drop(token: str) -> None:
    """Remove what has been brought back."""
    if _TOKEN.fullmatch(token):
        _remove(presets_bin() / token)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
