"""The wildcards that are written on the page: a text file each, one choice a line."""

from __future__ import annotations

import re
from pathlib import Path

from studio.errors import StudioError, shorten
from studio.files import write_atomically
from studio.home import wildcards_folder
from studio.preset.variants import MAX_FILE_BYTES, names

FIELD = "wildcard"
# As a prompt may name it, without the stars of a pattern; no part hides a file or leads upwards.
_NAME = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*){0,4}")
LONGEST = 200


def text_of(name: str) -> str:
    """The lines of a wildcard's file, "" where there is none yet.

    Raises:
        StudioError: no name of one, one that stands in a table of another file, or unreadable.
    """
    path = _path(name)
    if not path.is_file():
        if name in names():
            raise StudioError(
                f"{shorten(name)} stands in a file of several; change it there", field=FIELD
            )
        return ""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise StudioError(f"is larger than {MAX_FILE_BYTES // 2**20} MB", field=path.name)
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StudioError("is no text in UTF-8", field=path.name) from error
    except OSError as error:
        raise StudioError(f"cannot be read ({error.strerror})", field=path.name) from error


def keep(name: str, text: str) -> int:
    """Write a wildcard's choices in place of those that it had; how many there are.

    Raises:
        StudioError: no name of one, no choice, too many, or the file cannot be written.
    """
    text_of(name)  # what cannot be shown is not written over
    lines = [line.strip() for line in text.splitlines()]
    choices = [line for line in lines if line and not line.startswith("#")]
    if not choices:
        raise StudioError("holds no choice; write one a line", field=FIELD)
    data = ("\n".join(lines).strip("\n") + "\n").encode("utf-8", "replace")
    if len(data) > MAX_FILE_BYTES:
        raise StudioError(f"is larger than {MAX_FILE_BYTES // 2**20} MB", field=FIELD)
    path = _path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)
    except OSError as error:
        raise StudioError(f"cannot be written ({error.strerror})", field=path.name) from error
    return len(choices)


def _path(name: str) -> Path:
    if len(name) > LONGEST or not _NAME.fullmatch(name) or "__" in name or name[-1] in "_.":
        raise StudioError(
            f"letters, digits, '-', '.', '_' and '/' between them, got {shorten(name)}", field=FIELD
        )
    return wildcards_folder() / f"{name}.txt"
