"""Prompt S/R, search and replace, as an axis of a sweep: a text of the prompts gives way to others.

As in AUTOMATIC1111's X/Y/Z plot the first value is the text that is searched, letter by letter, and
stays as it is in the first picture. Searched are the prompts of all rows, the negative ones and those
of references included, since a subject that is swapped in one of them is meant in the others too.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from studio.errors import BadPreset, shorten
from studio.preset.document import Preset, validate

PROMPTS = "prompts"  # the axis, where another has the path of a field
TITLE = "Prompt S/R (search and replace)"
HELP = (
    "The first text is searched in the prompts of all rows, negative ones included; each takes its "
    "place in turn."
)


def replaced(preset: Preset, searched: str, by: str) -> Preset:
    """``preset`` with ``by`` wherever a row's prompt, or that of its reference, holds ``searched``.

    Raises:
        BadPreset: no prompt holds it, or one becomes longer than a prompt may be.
    """
    data = preset.model_dump(mode="json")
    found = [holder for holder in _holders(data["rows"]) if searched in holder["prompt"]]
    if not found:
        raise BadPreset(f"no prompt of the rows holds {shorten(searched)}", field=PROMPTS)
    for holder in found:
        holder["prompt"] = holder["prompt"].replace(searched, by)
    return validate(data)


def takes_part(preset: Preset, searched: str) -> bool:
    """Whether a row that takes part in the picture holds the text."""
    rows = [row.model_dump(mode="json") for _, row in preset.active_rows()]
    return any(searched in holder["prompt"] for holder in _holders(rows))


def read_texts(text: str, option: str) -> tuple[str, ...]:
    """``SEARCHED,BY,BY,…``: with quotes around what holds a comma, or as a JSON list of texts.

    Raises:
        BadPreset: what is searched is empty, or a value is no text.
    """
    if text.lstrip().startswith("["):
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadPreset(f"{shorten(text)} is not a JSON list", field=option) from error
    else:
        line = next(csv.reader([text], skipinitialspace=True), [])
        values = [value.strip() for value in line]
    for value in values:
        if not isinstance(value, str):
            raise BadPreset(f"expected texts to search and replace, got {value}", field=option)
    if not values or not values[0]:
        raise BadPreset("expected the text to search, then those in its place", field=option)
    return tuple(values)


def _holders(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Whatever of the rows has a prompt: themselves, and references."""
    for row in rows:
        yield row
        if isinstance(row["reference"], dict):
            yield row["reference"]
