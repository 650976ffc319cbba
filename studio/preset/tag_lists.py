"""Lists of tags as they lie on a disk: whatever wrote them, a name, how often it is used, other names.

A ``.csv`` holds ``name,category,count,"alias,alias"``, all but the name may lack; it may be divided at
semicolons or tabs and begin with a heading. A ``.txt`` holds a tag a line, and lines that begin with
``#`` and a blank are remarks. Both are UTF-8, UTF-16 or Windows-1252.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.errors import shorten
from studio.files import read_regular, shown
from studio.preset.encodings import decoded

MAX_NAME, MAX_ALIASES = 200, 100
_BLANK = " \t\u3000\ufeff"  # also a byte order mark, where files were joined
LOOKED_AT = 200  # lines by which it is told what divides a list
_LINE = re.compile(r"\r\n|\r|\n")
# Controls, line breaks, signs that turn the direction of a text, and what stands for a damaged byte.
_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffd]")


@dataclass(frozen=True)
class Listed:
    """A tag of a list: its name as it stands there, how often it is used (0: not said), other names."""

    name: str
    used: int
    aliases: tuple[str, ...] = ()


def tags_in(path: Path, most: int, problems: list[str]) -> Iterator[Listed]:
    """The tags of a list, in its order.

    Args:
        most: bytes that it may have.
        problems: is given one line for each thing that is read otherwise than it is written.

    Raises:
        OSError: it cannot be read, or is too large.
    """
    called = f"tags {shorten(shown(path.name))}"
    text, foreign = decoded(read_regular(path, most))
    if foreign:
        problems.append(f"{called} are no UTF-8 text; they are read as Windows-1252")
    left = 0
    for tag in _of_lines(text) if path.suffix.lower() == ".txt" else _of_table(text):
        if not tag.name:
            continue
        if len(tag.name) > MAX_NAME or not _is_text(tag.name):
            left += 1
            continue
        yield tag
    if left:
        problems.append(f"{called}: names that are too long or no text are left out: {left}")


def _is_text(name: str) -> bool:
    return _NO_TEXT.search(name) is None


def _of_lines(text: str) -> Iterator[Listed]:
    for line in _LINE.split(text):
        if not line.startswith("# "):
            yield Listed(line.strip(_BLANK), 0)


def _of_table(text: str) -> Iterator[Listed]:
    lines = [line for line in _LINE.split(text) if line.strip()]
    divider = max(",;\t", key=lambda one: _numbers(lines, one))  # of equals the first
    rows = (_cells(line, divider) for line in lines)
    if _has_heading(lines, divider):
        next(rows)
    for cells in rows:
        counts = [cell.strip() for cell in cells[1:3]]
        used = int(counts[-1]) if counts and counts[-1].isdecimal() and len(counts[-1]) < 12 else 0
        yield Listed(cells[0].strip(_BLANK), used, _others(cells[3]) if len(cells) > 3 else ())


def _others(cell: str) -> tuple[str, ...]:
    names = [name for name in map(str.strip, cell.split(",")) if name]
    if len(cell) > MAX_NAME or not _is_text(cell):
        names = [name for name in names if len(name) <= MAX_NAME and _is_text(name)]
    return tuple(names[:MAX_ALIASES])


def _cells(line: str, divider: str) -> list[str]:
    """A line's cells. One with an odd quote stands as it is written: it would take in what follows."""
    quotes = line.count('"')
    if quotes and quotes % 2 == 0:
        try:
            return next(csv.reader([line], delimiter=divider), [""])
        except csv.Error:  # a cell that is too long
            pass
    cells = line.split(divider)
    return [*cells[:3], ",".join(cells[3:]).strip('"')] if len(cells) > 3 else cells


def _has_number(cells: list[str]) -> bool:
    return any(cell.strip().isdecimal() for cell in cells[1:3])


def _numbers(lines: list[str], divider: str) -> int:
    """How many of the first lines hold a number where one is expected, if this divides them."""
    return sum(_has_number(_cells(line, divider)) for line in lines[:LOOKED_AT])


def _has_heading(lines: list[str], divider: str) -> bool:
    """Whether the first line names the columns: it holds no number, where the next ones do."""
    first = _cells(lines[0], divider) if lines else []
    named = len(first) > 1 and first[1].strip() != "" and not _has_number(first)
    return named and any(_has_number(_cells(line, divider)) for line in lines[1:3])
