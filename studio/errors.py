"""What a person can get wrong, said in one line.

Every error names the *field* (or file) at fault, what was given and what is allowed.
The page shows it as a toast, the command line as one line on stderr with exit code 2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Control characters but tab and new line, those that turn the writing's direction, and half pairs.
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


# What pydantic says, and what a person reads in its place.
_PLAIN = (
    (r"^Value error, ", ""),
    (r", unable to parse string as a.*$", ""),
    (r", unable to parse raw data as a (unicode) string$", r" in \1"),
    (r", got a number with a fractional part$", ""),
    (r"a valid dictionary(?: or (?:object to extract fields from|instance of \w+))?", "an object"),
    (r"a valid (?:tuple|list)", "a list"),
    (r"a valid integer", "a whole number"),
    (r"a valid number", "a number"),
    (r"a valid string", "a text"),
    (r"a valid boolean", "true or false"),
    (r"\b(?:Input|String) should (be|have) ", r"must \1 "),
    (r"\bmust be greater than or equal to ", "must be at least "),
    (r"\bmust be less than or equal to ", "must be at most "),
    (r"\bmust be greater than ", "must be above "),
    (r"\bmust be less than ", "must be below "),
    (
        r"^(?:Tuple|List) should have at (least|most) (\d+) items? after validation, not (\d+)$",
        r"needs at \1 \2, and has \3",
    ),
)

MOST_CHARACTERS, MOST_OF_FIELD = 2000, 500  # of a line; a stranger's file may hold longer names


class StudioError(Exception):
    """A mistake that the person at the page or the command line can put right.

    Args:
        message: what is wrong and what is allowed, without the field's name.
        field: dotted path of the field (``rows.0.weight``) or the name of the file.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        self.field = field
        self.message = printable(cut(" ".join(message.split()), MOST_CHARACTERS))
        named = f"{cut(field, MOST_OF_FIELD)}: {self.message}" if field else self.message
        super().__init__(printable(named))


def in_plain_words(message: str) -> str:
    """What pydantic says of a value, as a person reads it: what is allowed, not how it was looked for."""
    for theirs, ours in _PLAIN:
        message = re.sub(theirs, ours, message)
    return f"{message[0].lower()}{message[1:]}"


class BadPreset(StudioError):
    """A preset, an image's metadata or a link that cannot be read or is not valid."""


class NoPreset(BadPreset):
    """A picture that is sound and carries no preset."""


class MissingModel(StudioError):
    """A model that is neither in the library nor within reach of the hub.

    Args:
        model: its id, where whoever looks for it does not know which field names it.
    """

    def __init__(self, message: str, *, field: str = "", model: str = "") -> None:
        super().__init__(message, field=field)
        self.model = model


class MissingFile(StudioError):
    """A file (a control image, a preset) that is not there or may not be read."""


class IncompatibleModels(StudioError):
    """Models that cannot take part in one sum: another latent space or architecture."""


class OutOfMemory(StudioError):
    """A plan that does not fit, with the bytes that it needs."""


class NumericalError(StudioError):
    """A network returned NaN or infinity; the rows whose passes did so are named."""


def shorten(value: object, limit: int = 80) -> str:
    """``repr`` of what was given, cut to ``limit`` characters for a one-line message."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits; deep nesting
        text = f"a {type(value).__name__} too large to show"
    return cut(text, limit)


def cut(text: str, limit: int) -> str:
    """``text`` of at most ``limit`` characters; what is missing is marked."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def first_of(reasons: Sequence[str], most: int = 6) -> str:
    """The first of many reasons in one line, and how many more there are: nobody reads them all."""
    more = [f"and {len(reasons) - most} more"] if len(reasons) > most else []
    return " · ".join([*reasons[:most], *more])


def some_of(names: Sequence[str], most: int) -> str:
    """The first of many names as part of a sentence, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def printable(text: str) -> str:
    """``text`` without what a terminal takes for a command, or cannot write."""
    return _COMMANDS.sub("\ufffd", text)
