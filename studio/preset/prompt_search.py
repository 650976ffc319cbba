"""Prompt S/R, search and replace, as an axis of a sweep: a text of the prompts gives way to others.

As in AUTOMATIC1111's X/Y/Z plot the first value is the text that is searched, letter by letter, and
stays as it is in the first picture. Searched are the prompts of all rows, the negative ones and those
of references included, since a subject that is swapped in one of them is meant in the others too.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.errors import BadPreset, shorten
from studio.files import is_text
from studio.preset.document import Preset, validate

PROMPTS = "prompts"  # the axis, where another has the path of a field
TITLE = "Prompt S/R (search and replace)"
HELP = (
    "The first text is searched in the prompts of all rows, negative ones included; each takes its "
    "place in turn."
)


def replaced(preset: Preset, by: Mapping[str, str]) -> Preset:
    """``preset`` with other texts wherever a row's prompt, or that of its reference, holds some.

    All are searched at once, so that none is found in what another gave way to; of those that begin
    at one place the longest is meant.

    Args:
        by: text that is searched → what takes its place.

    Raises:
        BadPreset: no prompt holds one of them, or one becomes longer than a prompt may be.
    """
    data = preset.model_dump(mode="json")
    holders = list(_holders(data["rows"]))
    longest_first = sorted(by, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    found = {text for holder in holders for text in pattern.findall(holder["prompt"])}
    for searched in by:
        if searched not in found:
            raise BadPreset(_not_found(searched, holders), field=PROMPTS)
    for holder in holders:
        holder["prompt"] = pattern.sub(lambda match: by[match[0]], holder["prompt"])
    return validate(data)


def holds(preset: Preset, text: str) -> bool:
    """Whether a prompt of any row holds a text."""
    return any(text in holder["prompt"] for holder in _holders(preset.model_dump()["rows"]))


def _not_found(searched: str, holders: Sequence[Mapping[str, Any]]) -> str:
    if any(searched in holder["prompt"] for holder in holders):
        return f"{shorten(searched)} stands only within what another axis replaces"
    return f"no prompt of the rows holds {shorten(searched)}"


def takes_part(preset: Preset, searched: str) -> bool:
    """Whether a row that takes part in the picture holds the text."""
    rows = [row.model_dump(mode="json") for _, row in preset.active_rows()]
    return any(searched in holder["prompt"] for holder in _holders(rows))


def read_texts(text: str, option: str) -> tuple[str, ...]:
    """``SEARCHED,BY,BY,…``: with quotes around what holds a comma, or as a JSON list of texts.

    Raises:
        BadPreset: what is searched is empty, a value is no text, or neither form is read.
    """
    values = _listed(text, option) if text.lstrip().startswith("[") else _parted(text, option)
    for value in values:
        if not isinstance(value, str) or not is_text(value):
            said = f"expected texts to search and replace, got {shorten(value)}"
            raise BadPreset(said, field=option)
    if not values or not values[0]:
        raise BadPreset("expected the text to search, then those in its place", field=option)
    return tuple(values)


def _listed(text: str, option: str) -> list[Any]:
    """A JSON list; what only begins with a bracket, as a prompt may, is parted at its commas."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if not re.match(r'\s*\[\s*"', text):
            return _parted(text, option)
        raise BadPreset(f"{shorten(text)} is not a JSON list", field=option) from error


def _parted(text: str, option: str) -> list[str]:
    try:
        line = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error as error:  # of a line break, or of more than it reads
        said = f"{shorten(text)} cannot be parted at commas; give a JSON list of texts"
        raise BadPreset(said, field=option) from error
    return [value.strip() for value in line]


def _holders(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Whatever of the rows has a prompt: themselves, and references."""
    for row in rows:
        yield row
        if isinstance(row["reference"], dict):
            yield row["reference"]
