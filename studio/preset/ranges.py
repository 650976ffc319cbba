"""Ranges: what a search may set a field of a preset to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from studio.errors import BadPreset, shorten
from studio.preset.document import Preset
from studio.preset.fields import split_assignment, with_fields
from studio.preset.sweep import parse_axis

PLACES = 3  # significant digits of the span to which values are rounded


@dataclass(frozen=True)
class Range:
    """One field and what it may be: from ``low`` to ``high``, or one of ``choices``.

    Args:
        whole: whole numbers only.
    """

    field: str
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    choices: tuple[Any, ...] = ()

    def rounded(self, value: Any) -> Any:
        """``value`` as it is tried and written down: a hundredth of the span is near enough."""
        if self.choices:
            return value
        if self.whole:
            return round(value)
        step = math.floor(math.log10(self.high - self.low)) - PLACES + 1
        return min(self.high, max(self.low, round(float(value), -step)))

    def at(self, part: float) -> Any:
        """The value at ``part`` of the way, 0 to 1."""
        if self.choices:
            return self.choices[min(int(part * len(self.choices)), len(self.choices) - 1)]
        return self.rounded(self.low + part * (self.high - self.low))


def parse_range(text: str, preset: Preset, option: str) -> Range:
    """``FIELD=LOW:HIGH``, or ``FIELD=V1,V2,…`` for a choice; both ends must fit ``preset``.

    Raises:
        BadPreset: not a range, a field that there is not, or a value that it cannot take.
    """
    field, given = split_assignment(text, option)
    ends = given.split(":")
    if len(ends) == 1:
        axis = parse_axis(text, option)
        found = Range(field, choices=axis.values)
        if len(set(map(repr, axis.values))) < 2:
            raise BadPreset(f"expected FIELD=LOW:HIGH or values, got {shorten(text)}", field=option)
    else:
        low, high = (_number(end, text, option) for end in (ends if len(ends) == 2 else [""] * 2))
        if not low < high:
            raise BadPreset(f"{field} from {low:g} to {high:g} is no range", field=option)
        found = Range(field, low, high, _counts(preset, field, low, high))
    for value in found.choices or (found.at(0.0), found.at(1.0)):
        with_fields(preset, [(field, value)])  # names the field where it cannot be
    return found


def _number(text: str, whole: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadPreset(f"expected FIELD=LOW:HIGH, got {shorten(whole)}", field=option)
    return value


def _counts(preset: Preset, field: str, low: float, high: float) -> bool:
    """Whether the field takes whole numbers only: what lies between two of them is refused."""
    if not (low.is_integer() and high.is_integer()):
        return False
    try:
        with_fields(preset, [(field, low + 0.5)])
    except BadPreset:
        return True
    return False
