"""Sweeps: the values of one to three fields of a preset, and the preset of every cell."""

from __future__ import annotations

import json
import math
import re
import secrets
from dataclasses import dataclass
from typing import Any

from studio.errors import BadPreset, shorten
from studio.preset.document import Preset
from studio.preset.fields import split_assignment, with_fields
from studio.preset.rows import MAX_SEED

MAX_CELLS = 2000
_NUMBER = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)"
_STEPS = re.compile(rf"({_NUMBER}):({_NUMBER}):({_NUMBER})")


@dataclass(frozen=True)
class Axis:
    """One field and the values it takes."""

    field: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Cell:
    """One setting: its place in the grid (column, line, page), its values and its preset."""

    column: int
    line: int
    x: Any
    y: Any
    preset: Preset
    page: int = 0
    z: Any = None


def parse_axis(text: str, option: str) -> Axis:
    """``FIELD=V1,V2,…`` or ``FIELD=FROM:TO:STEP``; values that hold commas are given as a JSON list."""
    field, values = split_assignment(text, option)
    if steps := _STEPS.fullmatch(values.strip()):
        first, last, step = map(float, steps.groups())
        return Axis(field, _stepped(first, last, step, option))
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


def _stepped(first: float, last: float, step: float, option: str) -> tuple[float, ...]:
    count = (last - first) / step if step else -1.0
    if not 0 <= count < MAX_CELLS:
        raise BadPreset(f"from {first:g} to {last:g} by {step:g} is no row of values", field=option)
    values = [round(first + i * step, 10) for i in range(math.floor(count + 1e-9) + 1)]
    return tuple(int(v) if v.is_integer() else v for v in values)


def count_of(*axes: Axis | None) -> int:
    """How many cells the axes have."""
    return math.prod(len(axis.values) for axis in axes if axis is not None)


def cells(preset: Preset, x: Axis, y: Axis | None = None, z: Axis | None = None) -> list[Cell]:
    """Every combination, validated; all of one seed, one image each, page by page, line by line.

    Raises:
        BadPreset: a field or value that the preset cannot take, or too many cells.
    """
    total = count_of(x, y, z)
    if total > MAX_CELLS:
        raise BadPreset(f"{total} images; a sweep makes at most {MAX_CELLS}", field="sweep")
    named = [axis.field for axis in (x, y, z) if axis is not None]
    if len(set(named)) < len(named):
        raise BadPreset("an axis each for different fields", field="sweep")
    if preset.sampler.seed < 0:
        preset = preset.with_seed(secrets.randbelow(min(MAX_SEED, 2**32)))
    found = []
    for page, deep in enumerate(z.values if z else (None,)):
        for line, down in enumerate(y.values if y else (None,)):
            for column, across in enumerate(x.values):
                changes = [("sampler.count", 1), (x.field, across)]
                changes += [(y.field, down)] if y else []
                changes += [(z.field, deep)] if z else []
                made = with_fields(preset, changes)
                found.append(Cell(column, line, across, down, made, page, deep))
    return found
