"""What to look for in the history, as SQL. Everything a person typed travels as a parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from studio.errors import StudioError, shorten
from studio.history.words import conditions, scheduler_of

SORTS = {
    "newest": "made DESC, id",
    "oldest": "made, id",
    "seed": "seed, made DESC",
    "title": "title COLLATE NOCASE, made DESC",
}
ON_NO_BOARD = "\n"  # in the place of a board's name
MOST_LETTERS = 5000  # of each of its fields
_SCORE = re.compile(r"score:([a-z0-9-]{1,40})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


# The path up to its last dot ends with the title, after a slash or nothing else.
_STEM = "'/' || rtrim(path, replace(path, '.', ''))"
CALLED_AS_ITS_FILE = f"substr({_STEM}, -length(title) - 2) = '/' || title || '.'"


@dataclass(frozen=True)
class Query:
    """Filters, all of which must hold; the empty query finds every picture that is not in the bin.

    ``text``: words, each the beginning of one in prompts, title, models, note or tags, a seed, or six
    letters of a file's name with a digit in them; ``"two words"``: beside each other; ``-word``: none of
    these; ``one OR other``; ``prompt:word``, also ``preset``, ``model`` or ``lora``, ``note``, ``tag`` and
    ``board``: there alone; ``steps:25``; ``size:512x512``; ``preset``: its name; ``board``: a board, or :data:`ON_NO_BOARD`;
    ``since``, ``until``: days as ``YYYY-MM-DD``, both included; ``size``: ``WIDTHxHEIGHT``;
    ``scheduler``: as presets or the page name it; ``sort``: a name of :data:`SORTS` or
    ``score:METRIC``, best first; ``bin``: what is in the bin instead.
    """

    text: str = ""
    model: str = ""
    preset: str = ""
    board: str = ""
    tag: str = ""
    since: str = ""
    until: str = ""
    size: str = ""
    scheduler: str = ""
    starred: bool = False
    lora: bool = False
    bin: bool = False
    sort: str = "newest"

    def where(self) -> tuple[str, list[Any]]:
        """The condition and its parameters.

        Raises:
            StudioError: a day or a size that is none, or a field that is too long.
        """
        for one in fields(self):
            _check_length("search" if one.name == "text" else one.name, getattr(self, one.name))
        parts = ["gone = 0", "deleted IS NOT NULL" if self.bin else "deleted IS NULL"]
        given: list[Any] = []
        for condition, values in self._filters():
            parts.append(condition)
            given += values
        return " AND ".join(parts), given

    def _filters(self) -> list[tuple[str, list[Any]]]:
        found = conditions(self.text)
        for field, column in (("board", "board"), ("preset", "title")):
            if value := getattr(self, field):
                none = field == "board" and value == ON_NO_BOARD
                found.append((f"{column} = ?", ["" if none else value]))
        if self.scheduler:
            found.append(("scheduler = ? COLLATE NOCASE", [scheduler_of(self.scheduler)]))
        for field, table in (("tag", "tags"), ("model", "models")):
            if value := getattr(self, field):
                found.append((f"id IN (SELECT picture FROM {table} WHERE name = ?)", [value]))
        if self.since:
            found.append(("made >= strftime('%s', ?, 'utc') + 0", [_day(self.since, "since")]))
        if self.until:
            found.append(
                ("made < strftime('%s', ?, '+1 day', 'utc') + 0", [_day(self.until, "until")])
            )
        if self.size:
            found.append(("width = ? AND height = ?", _size(self.size)))
        found += [(name, []) for name in ("starred", "lora") if getattr(self, name)]
        return found

    def order(self) -> str:
        """The order, as SQL.

        Raises:
            StudioError: a sort that there is not.
        """
        if self.sort in SORTS:
            return SORTS[self.sort]
        score = _SCORE.fullmatch(self.sort)
        if score is None:
            raise StudioError(
                f"{', '.join(SORTS)} or score:METRIC, got {shorten(self.sort)}", field="sort"
            )
        return f"json_extract(scores, '$.\"{score[1]}\"') DESC NULLS LAST, made DESC"


def _check_length(name: str, value: str | bool) -> None:
    if isinstance(value, str) and len(value) > MOST_LETTERS:
        raise StudioError(f"at most {MOST_LETTERS} characters, got {len(value)}", field=name)


def names_in_use(of: str) -> str:
    """The SQL of the names in use and how often, most used first: of ``models``, ``presets``, ``tags``,
    ``boards``, ``schedulers`` or ``sizes``."""
    # The signs keep SQLite from looking these up one by one: it reads an index in order instead.
    shown = "+gone = 0 AND +deleted IS NULL"
    hidden = (  # few, and found by the index
        "SELECT id FROM pictures WHERE deleted IS NOT NULL "
        "UNION ALL SELECT id FROM pictures WHERE deleted IS NULL AND gone = 1"
    )
    counted = {
        "boards": f"SELECT board, count(*) FROM pictures WHERE {shown} AND board != '' GROUP BY 1",
        "schedulers": f"SELECT scheduler, count(*) FROM pictures WHERE {shown} "
        "AND scheduler != '' GROUP BY 1",
        "sizes": f"SELECT width || 'x' || height, count(*) FROM pictures WHERE {shown} "
        "AND width > 0 GROUP BY width, height",
        # What has no name is called as its file is.
        "presets": f"SELECT title, count(*) FROM pictures WHERE {shown} "
        f"AND NOT ({CALLED_AS_ITS_FILE}) GROUP BY 1",
    }.get(of) or (
        f"SELECT name, count(*) FROM {'tags' if of == 'tags' else 'models'} "
        f"WHERE picture NOT IN ({hidden}) GROUP BY 1"
    )
    return f"{counted} ORDER BY 2 DESC, 1"


def _day(text: str, field: str) -> str:
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise StudioError(f"a day as YYYY-MM-DD, got {shorten(text)}", field=field) from None


def _size(text: str) -> list[int]:
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not (width.isascii() and height.isascii() and width.isdigit() and height.isdigit()):
        raise StudioError(f"WIDTHxHEIGHT, got {shorten(text)}", field="size")
    return [min(int(width[:9]), 10**6), min(int(height[:9]), 10**6)]
