"""What people said of their pictures, line by line, so that it outlives the database.

One JSON object a line: ``{"id": …, "set": {field: value}}``. A line is written whole or, where a
crash cut it, passed over when the journal is read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.files import is_text, open_regular

MAX_BYTES = 512 * 2**20
MAX_LINE = 2**20
_ID = re.compile("[0-9a-f]{16}")
_MOST = 1e15  # of a number: what is larger is no time, count or score


def _is_number(value: Any) -> bool:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and -_MOST < value < _MOST


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and is_text(value)


def _is_score(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_word, (*value, *value.values())))


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_word, value))


# The fields that a picture's own file does not hold, and what each may be.
_SOUND: dict[str, Callable[[Any], bool]] = {
    "forwards": lambda value: _is_number(value) and isinstance(value, int),
    "seconds": _is_number,
    "scores": _is_score,
    "hashes": _is_named,
    "parent": _is_word,
    "starred": lambda value: isinstance(value, bool),
    "note": _is_word,
    "tags": _is_list,
    "board": _is_word,
    "deleted": lambda value: value is None or _is_number(value),
    "path": _is_word,
}
FIELDS = tuple(_SOUND)


class Journal:
    """The journal in a file.

    Args:
        path: where it lies; ``None`` for one that keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def add(self, marks: Mapping[str, Mapping[str, Any]]) -> None:
        """Append fields by picture.

        Raises:
            OSError: it cannot be written.
        """
        if self.path is None or not marks:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(
            json.dumps({"id": one, "set": dict(fields)}, ensure_ascii=True) + "\n"
            for one, fields in marks.items()
        )
        start = "" if _ends_whole(self.path) else "\n"
        with self.path.open("ab", buffering=0) as file:
            file.write((start + text).encode())

    def read(self) -> dict[str, dict[str, Any]]:
        """The last value of every field by picture; what is none, lines and fields, is passed over."""
        found: dict[str, dict[str, Any]] = {}
        if self.path is None:
            return found
        with suppress(OSError), open_regular(self.path, MAX_BYTES) as file:
            while line := file.readline(MAX_LINE):
                with suppress(ValueError, RecursionError):
                    identity, fields = _said(json.loads(line))
                    found.setdefault(identity, {}).update(fields)
        return found


def _said(line: Any) -> tuple[str, dict[str, Any]]:
    """Of which picture, and what; raises ``ValueError`` where it is no line of a journal."""
    if not isinstance(line, dict) or not isinstance(line.get("set"), dict):
        raise ValueError("no line of a journal")
    identity = line.get("id")
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise ValueError("names no picture")
    given = line["set"].items()
    return identity, {name: v for name, v in given if name in _SOUND and _SOUND[name](v)}


def _ends_whole(path: Path) -> bool:
    """Whether the last line has its end: one that a crash cut must not swallow the next."""
    with suppress(OSError), path.open("rb") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
    return True
