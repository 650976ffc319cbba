"""Another tool's sum of predictions as shares of conditions: where, when and how much each counts.

Where a prediction has several conditions, tools average them at each place and step over those
that act there (ComfyUI, ``calc_cond_batch``):

    ε(x, t) = Σ_i s_i·m_i(x)·ε_i / Σ_i s_i·m_i(x)

with strengths ``s_i`` and areas ``m_i``, over the conditions whose range holds ``t``. That is
linear in the predictions, so that each condition is a row, or one for each part of the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from studio.share.tools.table import Condition, ControlUse

CELL = 8  # pixels of one latent cell, in which areas are measured
DEFAULT_SIZE = (512, 512)
MAX_CONDITIONS = 40

Map = np.ndarray  # (height, width) of latent cells, float64 in [0, 1]


@dataclass(frozen=True)
class Share:
    """One condition over one part of the steps: its factor, and a map where that differs by place."""

    condition: Condition
    range: tuple[float, float]
    factor: float
    where: Map | None = None
    controls: tuple[ControlUse, ...] = ()

    def same_but_for_time(self, other: Share) -> bool:
        """Whether it is the other one going on."""
        return (
            self.condition is other.condition
            and self.factor == other.factor
            and self.controls == other.controls
            and self.range[0] == other.range[1]
            and (
                self.where is other.where
                if self.where is None or other.where is None
                else np.array_equal(self.where, other.where)
            )
        )


def shares(
    conditions: Sequence[Condition], size: tuple[int, int] | None, notes: list[str]
) -> list[Share]:
    """The shares of a prediction's conditions, whose sum is 1 at every step and place.

    Args:
        conditions: at least one; those over ``MAX_CONDITIONS`` are noted and left out.
        size: the picture's, in pixels, that areas are parts of.
    """
    if len(conditions) > MAX_CONDITIONS:
        notes.append(f"only the first {MAX_CONDITIONS} of {len(conditions)} conditions are read")
        conditions = conditions[:MAX_CONDITIONS]
    found: list[list[Share]] = [[] for _ in conditions]
    empty = []
    for start, end in pairwise(_marks(conditions)):
        active = [i for i, c in enumerate(conditions) if _holds(c.range, start, end)]
        if not active:
            empty.append(f"{start:g}-{end:g}")
            continue
        parts = _parts([conditions[i] for i in active], size, notes)
        for index, (factor, where) in zip(active, parts, strict=True):
            if factor:
                condition = conditions[index]
                acting = _acting(condition, start, end)
                share = Share(condition, (start, end), factor, where, acting)
                _append(found[index], share)
    if empty:
        notes.append(
            f"no condition acts in {', '.join(empty)} of the steps; the tool uses none there"
        )
    return [share for of_one in found for share in of_one]


def _marks(conditions: Sequence[Condition]) -> list[float]:
    marks = {0.0, 1.0}
    for condition in conditions:
        marks.update(condition.range)
        for control in condition.controls:
            marks.update(control.range)
    return sorted(min(1.0, max(0.0, mark)) for mark in marks)


def _holds(range_: tuple[float, float], start: float, end: float) -> bool:
    return range_[0] <= start and end <= range_[1]


def _acting(condition: Condition, start: float, end: float) -> tuple[ControlUse, ...]:
    return tuple(one for one in condition.controls if _holds(one.range, start, end))


def _append(shares_: list[Share], share: Share) -> None:
    if shares_ and share.same_but_for_time(shares_[-1]):
        before = shares_.pop()
        share = Share(
            share.condition,
            (before.range[0], share.range[1]),
            share.factor,
            share.where,
            share.controls,
        )
    shares_.append(share)


def _parts(
    active: Sequence[Condition], size: tuple[int, int] | None, notes: list[str]
) -> list[tuple[float, Map | None]]:
    """Factor and map of each condition that acts; the product of both is its share at a place."""
    strengths = [condition.strength for condition in active]
    if all(condition.area is None for condition in active):
        total = sum(strengths)
        if total == 0:
            notes.append("its conditions have strengths whose sum is 0; they are left out")
            return [(0.0, None) for _ in active]
        return [(strength / total, None) for strength in strengths]
    maps = [s * _area(c, size) for s, c in zip(strengths, active, strict=True)]
    total_map = np.sum(maps, axis=0)
    if (total_map == 0).any():
        note = "parts of the picture are in no area; the tool uses no prediction there"
        if note not in notes:
            notes.append(note)
    parts = [np.divide(m, total_map, out=np.zeros_like(m), where=total_map != 0) for m in maps]
    return [_split(part) for part in parts]


def _split(part: Map) -> tuple[float, Map | None]:
    """A map as its largest value and the rest; no map where it is the same everywhere."""
    largest = float(part.max())
    if largest == 0 or (part == largest).all():
        return largest, None
    return largest, part / largest


def _area(condition: Condition, size: tuple[int, int] | None) -> Map:
    width, height = (max(1, -(-edge // CELL)) for edge in size or DEFAULT_SIZE)
    if condition.area is None:
        return np.ones((height, width))
    left, top, wide, high = condition.area
    found = np.zeros((height, width))
    rows = slice(_cell(top, height), max(_cell(top, height) + 1, _cell(top + high, height)))
    columns = slice(_cell(left, width), max(_cell(left, width) + 1, _cell(left + wide, width)))
    found[rows, columns] = 1.0
    return found


def _cell(part: float, cells: int) -> int:
    return round(min(1.0, max(0.0, part)) * cells)
