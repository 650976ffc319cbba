"""Sweeps: the values of one or two fields of a preset, and the preset of every cell."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from studio.errors import BadPreset, shorten
from studio.preset.document import Preset
from studio.preset.fields import split_assignment, with_fields
from studio.preset.rows import MAX_SEED

MAX_CELLS = 400


@dataclass(frozen=True)
class Axis:
    """One field and the values it takes."""

    field: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Cell:
    """One image to make: its place in the grid, its values and its preset."""

    column: int
    line: int
    x: Any
    y: Any
    preset: Preset


def parse_axis(text: str, option: str) -> Axis:
    """``FIELD=V1,V2,…``; values that hold commas are given as a JSON list."""
    field, values = split_assignment(text, option)
    if not values.startswith("["):
        return Axis(field, tuple(_value(part.strip()) for part in values.split(",")))
    try:
        found = json.loads(values)
    except (ValueError, RecursionError) as error:
        raise BadPreset(f"{shorten(values)} is not a JSON list", field=option) from error
    if not found:
        raise BadPreset("expected at least one value", field=option)
    return Axis(field, tuple(found))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def cells(preset: Preset, x: Axis, y: Axis | None = None) -> list[Cell]:
    """Every combination, validated; all of one seed, one image each, line by line.

    Raises:
        BadPreset: a field or value that the preset cannot take, or too many cells.
    """
    lines = y.values if y else (None,)
    if len(lines) * len(x.values) > MAX_CELLS:
        total = len(lines) * len(x.values)
        raise BadPreset(f"{total} images; a sweep makes at most {MAX_CELLS}", field="sweep")
    if preset.sampler.seed < 0:
        preset = preset.with_seed(secrets.randbelow(min(MAX_SEED, 2**32)))
    found = []
    for line, down in enumerate(lines):
        for column, across in enumerate(x.values):
            changes = [("sampler.count", 1), (x.field, across)] + ([(y.field, down)] if y else [])
            found.append(Cell(column, line, across, down, with_fields(preset, changes)))
    return found
