"""pydantic's report of a document as one line that names the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from studio.errors import BadPreset, StudioError, cut, first_of, in_plain_words, shorten

_MISMATCHES = ("model_type", "string_type", "tuple_type", "literal_error", "none_required")
WRONG_TOO = "wrong too: "  # before the fields that are at fault besides, a dot between each two
MOST_NAMED, MOST_OF_NAME = 6, 80  # of them; letters of each, which a stranger's file chooses
_UNION_TAGS = {"ModelRef", "PromptReference", "constrained-str", "constrained-float", "str"}


@contextmanager
def fields_renamed(names: Mapping[str, str]) -> Iterator[None]:
    """Mistakes of a preset that was made from another name the fields of that one.

    Args:
        names: field of the one that was made → where it comes from.
    """
    try:
        yield
    except StudioError as error:
        if error.field not in names:
            raise
        raise type(error)(error.message, field=names[error.field]) from error


def one_line(error: ValidationError) -> BadPreset:
    """The mistake that explains most, with what was given there; other fields at fault are named."""
    report = error.errors(include_url=False)

    # A union reports every branch; the branch that matches the given type explains most.
    def relevance(item: Any) -> tuple[int, int]:
        mismatch = item["type"] in _MISMATCHES
        return (1 if mismatch else 0, -len(item["loc"]))

    first = min(report, key=relevance)
    mistake = _said(first, report)
    others = _others(first, report)
    if not others:
        return mistake
    besides = f"{WRONG_TOO}{first_of(others, MOST_NAMED)}"
    return BadPreset(f"{mistake.message} · {besides}", field=mistake.field)


def _said(first: Any, report: Sequence[Any]) -> BadPreset:
    parts = [str(part) for part in first["loc"] if not _is_tag(part)]
    field = ".".join(parts) or "preset"
    if first["type"] == "extra_forbidden":
        return BadPreset("unknown field; it is not part of a preset", field=field)
    if first["type"] == "missing":
        return BadPreset(f"is missing from {shorten(first['input'])}", field=field)
    said = in_plain_words(first["msg"]) + _or_else(first, report)
    return BadPreset(f"{said}, got {shorten(first['input'])}", field=field)


def _others(named: Any, report: Sequence[Any]) -> list[str]:
    """The fields at fault besides the one that is named; the branches of a union are one field, but
    for those in the branch that is named."""

    def place(item: Any) -> tuple[str, ...]:
        found, loc = [], item["loc"]
        for at, part in enumerate(loc):
            if not _is_tag(part):
                found.append(str(part))
            elif loc[: at + 1] != named["loc"][: at + 1]:
                break
        return tuple(found)

    def apart(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        return one[: len(other)] != other[: len(one)]

    known = [place(named)]
    for item in report:
        if all(apart(place(item), one) for one in known):
            known.append(place(item))
    return [cut(".".join(one), MOST_OF_NAME) for one in known[1:]]


_STRUCTURES = {"tuple_type": ", or a list", "model_type": ", or an object"}


def _or_else(named: Any, report: Sequence[Any]) -> str:
    """What a field takes besides the names that were listed."""
    if named["type"] != "literal_error":
        return ""
    alike = (one for one in report if one["loc"][:-1] == named["loc"][:-1])
    return "".join(_STRUCTURES.get(one["type"], "") for one in alike)


def _is_tag(part: object) -> bool:
    return isinstance(part, str) and (part in _UNION_TAGS or "[" in part)
