"""pydantic's report of a document as one line that names the field."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from pydantic import ValidationError

from studio.errors import BadPreset, in_plain_words, shorten, some_of

_MISMATCHES = ("model_type", "string_type", "tuple_type", "literal_error", "none_required")
MOST_NAMED = 6  # fields that are at fault besides
_UNION_TAGS = {"ModelRef", "PromptReference", "constrained-str", "constrained-float", "str"}


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
    said = " · ".join([mistake.message, f"wrong too: {some_of(others, MOST_NAMED)}"])
    return BadPreset(said, field=mistake.field)


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
    """The fields at fault besides the one that is named; the branches of a union are one field."""

    def place(item: Any) -> tuple[str, ...]:
        return tuple(str(part) for part in takewhile(lambda part: not _is_tag(part), item["loc"]))

    def apart(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        return one[: len(other)] != other[: len(one)]

    known = [place(named)]
    for item in report:
        if all(apart(place(item), one) for one in known):
            known.append(place(item))
    return [".".join(one) for one in known[1:]]


_STRUCTURES = {"tuple_type": ", or a list", "model_type": ", or an object"}


def _or_else(named: Any, report: Sequence[Any]) -> str:
    """What a field takes besides the names that were listed."""
    if named["type"] != "literal_error":
        return ""
    alike = (one for one in report if one["loc"][:-1] == named["loc"][:-1])
    return "".join(_STRUCTURES.get(one["type"], "") for one in alike)


def _is_tag(part: object) -> bool:
    return isinstance(part, str) and (part in _UNION_TAGS or "[" in part)
