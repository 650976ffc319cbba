"""The words that a search was typed as, as SQL: beginnings of words, phrases, one of several, words of one
field, seeds, steps, sizes, schedulers, folders, parts of a file's name."""

from __future__ import annotations

import re
from typing import Any

from studio.errors import StudioError
from studio.preset.schedulers import SCHEDULERS, letters

MOST_WORDS = 100  # of a search
# Writing without spaces between its words: the index has no words there, so text is searched as it is.
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_MARKS = "\"'\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb"
_WITHOUT = re.compile(rf"[-\u2212](?=[{_MARKS}]*[^\W_])")
# A phrase in quotes, also without it and in a field; or a word.
_APART = re.compile(
    r"([-\u2212]?(?:[a-z]+:)?)[\"\u201c-\u201f]([^\"\u201c-\u201f]+)[\"\u201c-\u201f](?!\S)|(\S+)",
    re.IGNORECASE,
)
# The columns of the index by what a search calls them.
_COLUMNS = {
    "prompt": "prompts",
    "title": "title",
    "preset": "title",
    "model": "models",
    "lora": "models",
    "note": "note",
    "tag": "tags",
}
_FIELD = re.compile(rf"({'|'.join(_COLUMNS)}):(.+)", re.IGNORECASE)
_BOARD = re.compile(r"board:(.+)", re.IGNORECASE)
_FOLDER = re.compile(r"folder:(.+)", re.IGNORECASE)
_STEPS = re.compile(r"steps:([0-9]{1,9})", re.IGNORECASE)
_SEED = re.compile(r"(seed:)?([0-9]{1,19})", re.IGNORECASE)
_SCHEDULER = re.compile(r"(?:scheduler|sampler):(.+)", re.IGNORECASE)
_SIZE = re.compile(r"size:([0-9]{1,6})[x\u00d7]([0-9]{1,6})", re.IGNORECASE)
OR = "OR"  # between two words; in small letters it is a word as others are
_OF_FILE = re.compile(r"(?=.*[0-9]).{6,}")  # shorter, names would hold it by chance
_INDEXED = "rowid IN (SELECT rowid FROM words WHERE words MATCH ?)"
_Condition = tuple[str, list[Any]]


def conditions(text: str) -> list[_Condition]:
    """What a picture must fulfil, each with its parameters; none for a text without a word.

    Raises:
        StudioError: more than :data:`MOST_WORDS` words.
    """
    parts = _APART.findall(text.replace("\0", " "))
    words = [word or _phrase(before, " ".join(phrase.split())) for before, phrase, word in parts]
    if len(words) > MOST_WORDS:
        raise StudioError(f"at most {MOST_WORDS} words, got {len(words)}", field="search")
    choices = _choices(words)
    alone = [choice[0] for choice in choices if len(choice) == 1]
    # One look into the index for all that only it knows.
    plain = [term for word in alone if _is_plain(word) for term in _terms(word)]
    found = [(_INDEXED, [" ".join(plain)])] if plain else []
    found += [_one(word) for word in alone if not _is_plain(word)]
    found += [_any([_one(word) for word in choice]) for choice in choices if len(choice) > 1]
    if words and not found:
        return [("0", [])]  # nothing but signs: no word of any picture
    return found


def _phrase(before: str, text: str) -> str:
    """What stands in quotes keeps them, as it is text whatever it looks like; a field's value does not."""
    return f"{before}{text}" if before.endswith(":") else f'{before}"{text}"'


def scheduler_of(text: str) -> str:
    """The scheduler that is called so, by its name or its title, in whatever letters; the text itself
    where none is: pictures of one that was here once have its name."""
    wanted = letters(text)
    same = (name for name, kind in SCHEDULERS.items() if wanted in map(letters, (name, kind.title)))
    return next(same, text)


def _choices(words: list[str]) -> list[list[str]]:
    """The words, those together of which one has to be there; an ``OR`` that stands before or behind none,
    as while one types, says nothing."""
    if set(words) == {OR}:
        return [words[:1]]
    found: list[list[str]] = []
    joins = False
    for word in words:
        if word == OR:
            joins = bool(found)
        elif joins:
            found[-1].append(word)
            joins = False
        else:
            found.append([word])
    return found


def _any(choice: list[_Condition]) -> _Condition:
    either = " OR ".join(condition for condition, _ in choice)
    return f"({either})", [value for _, values in choice for value in values]


def _is_plain(word: str) -> bool:
    apart = (_WITHOUT, _SCHEDULER, _FIELD, _BOARD, _FOLDER, _STEPS, _SIZE, _OF_FILE)
    return not any(kind.match(word) for kind in apart) and not (
        _SEED.fullmatch(word) or _UNSPACED.search(word)
    )


def _one(word: str) -> _Condition:
    if _WITHOUT.match(word):
        condition, given = _anywhere(word[1:])
        return f"NOT {condition}", given
    return _anywhere(word)


def _anywhere(word: str) -> _Condition:
    """Every place that one word may stand in."""
    if scheduler := _SCHEDULER.fullmatch(word):
        return "(scheduler = ? COLLATE NOCASE)", [scheduler_of(scheduler[1])]
    if steps := _STEPS.fullmatch(word):
        return "(steps = ?)", [int(steps[1])]
    if size := _SIZE.fullmatch(word):
        return "(width = ? AND height = ?)", [int(size[1]), int(size[2])]
    if board := _BOARD.fullmatch(word):
        return _like("board", board[1], begins=True)
    if folder := _FOLDER.fullmatch(word):
        return _like("'/' || path", f"/{folder[1].strip('/')}", goes_on="%/%")
    if field := _FIELD.fullmatch(word):
        return _in_column(_COLUMNS[field[1].lower()], field[2])
    places: list[_Condition] = []
    seed = _SEED.fullmatch(word)
    if seed and int(seed[2]) < 2**63:
        places.append(("ifnull(seed, -1) = ?", [int(seed[2])]))
    if not (seed and seed[1]):
        places += _written(word)
    return _any(places) if places else ("0", [])


def _written(word: str) -> list[_Condition]:
    word = _bare(word)
    if _UNSPACED.search(word):
        return [_like(column, word) for column in ("prompts", "title", "note")]
    terms = _terms(word)
    found: list[_Condition] = [(_INDEXED, [" ".join(terms)])] if terms else []
    if _OF_FILE.match(word):
        name = re.split(r"[/\\]", word.rstrip("/\\"))[-1]  # of a whole path, too
        found.append(_like("path", name or word))
    return found


def _in_column(column: str, word: str) -> _Condition:
    if _UNSPACED.search(word) and column in ("prompts", "title", "note"):
        return _like(column, word)
    terms = [f"{column} : {term}" for term in _terms(word)]
    return (_INDEXED, [" ".join(terms)]) if terms else ("0", [])


def _terms(word: str) -> list[str]:
    """What the index is asked for: the beginnings of words, or a phrase, of which the last may go on."""
    parts = re.sub(r"[^\w]+", " ", word).split()
    return [f'"{part}"*' for part in ([" ".join(parts)] if " " in word and parts else parts)]


def _bare(word: str) -> str:
    """Without the quotes around it."""
    return word.strip(_MARKS)


def _like(column: str, part: str, begins: bool = False, goes_on: str = "%") -> _Condition:
    escaped = re.sub(r"([\\%_])", r"\\\1", part)
    return f"{column} LIKE ? ESCAPE '\\'", [f"{'' if begins else '%'}{escaped}{goes_on}"]
