"""The words that a search was typed as, as SQL: beginnings of words, seeds, schedulers, parts of a
file's name."""

from __future__ import annotations

import re
from typing import Any

from studio.errors import StudioError
from studio.preset.schedulers import SCHEDULERS, letters

MOST_WORDS = 100  # of a search
# Writing without spaces between its words: the index has no words there, so text is searched as it is.
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_QUOTES = "\"'\u2018-\u201f\u00ab\u00bb"
_WITHOUT = re.compile(rf"[-\u2212](?=[{_QUOTES}]*[^\W_])")
_SEED = re.compile(r"(seed:)?([0-9]{1,19})", re.IGNORECASE)
_SCHEDULER = re.compile(r"scheduler:(.+)", re.IGNORECASE)
_OF_FILE = re.compile(r"(?=.*[0-9]).{6,}")  # shorter, names would hold it by chance
_INDEXED = "rowid IN (SELECT rowid FROM words WHERE words MATCH ?)"
_Condition = tuple[str, list[Any]]


def conditions(text: str) -> list[_Condition]:
    """What a picture must fulfil, each with its parameters; none for a text without a word.

    Raises:
        StudioError: more than :data:`MOST_WORDS` words.
    """
    words = text.replace("\0", " ").split()
    if len(words) > MOST_WORDS:
        raise StudioError(f"at most {MOST_WORDS} words, got {len(words)}", field="search")
    # One look into the index for all that only it knows.
    plain = [term for word in words if _is_plain(word) for term in _terms(word)]
    found = [(_INDEXED, [" ".join(plain)])] if plain else []
    found += [_one(word) for word in words if not _is_plain(word)]
    if words and not found:
        return [("0", [])]  # nothing but signs: no word of any picture
    return found


def scheduler_of(text: str) -> str:
    """The scheduler that is called so, by its name or its title, in whatever letters; the text itself
    where none is: pictures of one that was here once have its name."""
    wanted = letters(text)
    same = (name for name, kind in SCHEDULERS.items() if wanted in map(letters, (name, kind.title)))
    return next(same, text)


def _is_plain(word: str) -> bool:
    return not any(kind.match(word) for kind in (_WITHOUT, _SCHEDULER, _OF_FILE)) and not (
        _SEED.fullmatch(word) or _UNSPACED.search(word)
    )


def _one(word: str) -> _Condition:
    if _WITHOUT.match(word):
        condition, given = _anywhere(re.sub(rf"^[{_QUOTES}]+|[{_QUOTES}]+$", "", word[1:]))
        return f"NOT {condition}", given
    return _anywhere(word)


def _anywhere(word: str) -> _Condition:
    """Every place that one word may stand in."""
    if scheduler := _SCHEDULER.fullmatch(word):
        return "(scheduler = ? COLLATE NOCASE)", [scheduler_of(scheduler[1])]
    places: list[_Condition] = []
    seed = _SEED.fullmatch(word)
    if seed and int(seed[2]) < 2**63:
        places.append(("ifnull(seed, -1) = ?", [int(seed[2])]))
    if not (seed and seed[1]):
        places += _written(word)
    either = " OR ".join(condition for condition, _ in places) or "0"
    return f"({either})", [value for _, values in places for value in values]


def _written(word: str) -> list[_Condition]:
    if _UNSPACED.search(word):
        return [_like(column, word) for column in ("prompts", "title", "note")]
    terms = _terms(word)
    found: list[_Condition] = [(_INDEXED, [" ".join(terms)])] if terms else []
    if _OF_FILE.match(word):
        name = re.split(r"[/\\]", word.rstrip("/\\"))[-1]  # of a whole path, too
        found.append(_like("path", name or word))
    return found


def _terms(word: str) -> list[str]:
    return [f'"{part}"*' for part in re.sub(r"[^\w]+", " ", word).split()]


def _like(column: str, part: str) -> _Condition:
    escaped = re.sub(r"([\\%_])", r"\\\1", part)
    return f"{column} LIKE ? ESCAPE '\\'", [f"%{escaped}%"]
