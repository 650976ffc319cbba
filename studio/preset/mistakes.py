"""pydantic's report of a document as one line that names the field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from studio.errors import BadPreset, in_plain_words, shorten

_MISMATCHES = ("model_type", "string_type", "tuple_type", "literal_error", "none_required")
_UNION_TAGS = {"ModelRef", "PromptReference", "constrained-str", "constrained-float", "str"}


def one_line(error: ValidationError) -> BadPreset:
    """The mistake that explains most, with what was given there."""
    report = error.errors(include_url=False)

    # A union reports every branch; the branch that matches the given type explains most.
    def relevance(item: Any) -> tuple[int, int]:
        mismatch = item["type"] in _MISMATCHES
        return (1 if mismatch else 0, -len(item["loc"]))

    first = min(report, key=relevance)
    parts = [str(part) for part in first["loc"] if not _is_tag(part)]
    field = ".".join(parts) or "preset"
    if first["type"] == "extra_forbidden":
        return BadPreset("unknown field; it is not part of a preset", field=field)
    said = in_plain_words(first["msg"]) + _or_else(first, report)
    return BadPreset(f"{said}, got {shorten(first['input'])}", field=field)


_STRUCTURES = {"tuple_type": ", or a list", "model_type": ", or an object"}


def _or_else(named: Any, report: Sequence[Any]) -> str:
    """What a field takes besides the names that were listed."""
    if named["type"] != "literal_error":
        return ""
    alike = (one for one in report if one["loc"][:-1] == named["loc"][:-1])
    return "".join(_STRUCTURES.get(one["type"], "") for one in alike)


def _is_tag(part: object) -> bool:
    return isinstance(part, str) and (part in _UNION_TAGS or "[" in part)
