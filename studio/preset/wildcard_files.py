"""The wildcards that are written on the page: a text file each, one choice a line."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from studio.errors import StudioError, shorten
from studio.files import write_atomically
from studio.home import wildcards_folder
from studio.preset.choosing import MAX_FILE_BYTES
from studio.preset.encodings import decoded
from studio.preset.variants import names

FIELD = "wildcard"
# As a prompt may name it, without the stars of a pattern; no part hides a file or leads upwards.
_NAME = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*){0,4}")
LONGEST = 200
MOST_BYTES = 200  # of a file's name: most file systems take 255, and its ending needs some
_WRITING = threading.Lock()


def text_of(name: str) -> str:
    """The lines of a wildcard's file, "" where there is none yet.

    Raises:
        StudioError: no name of one, one that stands in a table of another file, or unreadable.
    """
    path = _path(name)
    try:
        there = path.is_file()
    except OSError as error:
        raise StudioError(f"cannot be read ({error.strerror})", field=FIELD) from error
    if not there:
        if name in names():
            raise StudioError(
                f"{shorten(name)} stands in a file of several, or in another tool's folder; "
                "change it there",
                field=FIELD,
            )
        return ""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise StudioError(f"is larger than {MAX_FILE_BYTES // 2**20} MB", field=path.name)
        text, _ = decoded(path.read_bytes())
        if "\ufffd" in text or "\0" in text:  # what is not read whole is not written again
            raise StudioError("is no text in UTF-8", field=path.name)
        return text
    except OSError as error:
        raise StudioError(f"cannot be read ({error.strerror})", field=path.name) from error


def keep(name: str, text: str, before: str | None = None) -> int:
    """Write a wildcard's choices in place of those that it had; how many there are.

    Args:
        before: what :func:`text_of` gave when somebody began to write.

    Raises:
        StudioError: no name of one, no choice, too many, the file holds something else than
            ``before`` by now, or it cannot be written.
    """
    lines = [line.strip() for line in re.split(r"\r\n|\r|\n", text)]
    choices = [line for line in lines if line and not line.startswith("#")]
    data = ("\n".join(lines).strip("\n") + "\n").encode("utf-8", "replace")
    with _WRITING:
        now = text_of(name)  # what cannot be shown is not written over
        if before is not None and before != now:
            raise StudioError("has changed since you opened it; open it anew", field=FIELD)
        if not choices:
            raise StudioError("holds no choice; write one a line", field=FIELD)
        if len(data) > MAX_FILE_BYTES:
            raise StudioError(f"is larger than {MAX_FILE_BYTES // 2**20} MB", field=FIELD)
        path = _path(name)
        try:
            path = path.resolve()  # a link stays one
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StudioError(f"cannot be written ({reason})", field=path.name) from error
    return len(choices)


def _path(name: str) -> Path:
    if len(name) > LONGEST or not _NAME.fullmatch(name) or "__" in name or name[-1] in "_.":
        raise StudioError(
            f"letters, digits, '-', '.', '_' and '/' between them, got {shorten(name)}", field=FIELD
        )
    if any(len(part.encode()) > MOST_BYTES for part in name.split("/")):
        raise StudioError(f"is too long for a file: {shorten(name)}", field=FIELD)
    return wildcards_folder() / f"{name}.txt"
