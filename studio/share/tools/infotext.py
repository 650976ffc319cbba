"""A line of settings as the web UI writes it: ``Steps: 20, Model: "a, b"``, read once from left to right."""

from __future__ import annotations

import json
import re
from typing import Any

_KEY = re.compile(r"\s*+(\w[\w \-/]{0,80}):\s*+")
_DECODER = json.JSONDecoder()
MAX_SETTINGS = 100_000  # characters of the line of settings that are read
MAX_DECODED = 200  # values in it that begin as JSON


def pairs(line: str) -> dict[str, Any]:
    """The settings of a line, in one pass; values keep their text, quotes are taken off."""
    line = line[:MAX_SETTINGS]
    found: dict[str, list[Any]] = {}
    place, last, decoded = 0, "", 0
    while place < len(line):
        match = _KEY.match(line, place)
        if match is None:  # a comma inside a value that nobody quoted
            end = _comma(line, place)
            if last:
                found[last] += [",", line[place:end]]
            place = end + 1
            continue
        start, last = match.end(), match[1].strip()
        value, place = None, start
        if line[start : start + 1] in ('"', "{", "[") and decoded < MAX_DECODED:
            decoded += 1
            value, place = _decoded(line, start)
        if value is None:
            place = _comma(line, start)
            value = line[start:place].strip()
            place += 1
        if last in found:
            last = ""
        else:
            found[last] = [value]
    return {key: _joined(values) for key, values in found.items()}


def _joined(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else "".join(map(str, values)).strip()


def _decoded(line: str, start: int) -> tuple[Any, int]:
    """A JSON value and the place behind the comma that ends it; ``None`` for neither."""
    try:
        value, end = _DECODER.raw_decode(line, start)
    except (ValueError, RecursionError):
        return None, start
    rest = _comma(line, end)
    return (None, start) if line[end:rest].strip() else (value, rest + 1)


def _comma(line: str, start: int) -> int:
    place = line.find(",", start)
    return len(line) if place < 0 else place
