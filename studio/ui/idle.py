"""What of the form makes no difference to the plan, and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

from studio.errors import StudioError
from studio.plan.stated import Stated, stated, stated_plan
from studio.preset import Preset
from studio.ui.form import to_preset
from studio.ui.library.models import library

IDLE_REASONS = {
    "omega": "Changes nothing now: no row that takes part has a LoRA or a fine-tune of the base.",
    "decoupling": "Changes nothing now: no row that takes part has parts joined by AND.",
}
DECISIVE = ("base", "rows")  # fields that decide whether those change anything
# Of a row, which decide nothing of it: one that cannot be leaves the rest as it is.
_BESIDE = re.compile(r"rows\.(\d{1,4})\.(control|controls|image|image_prompt)\b")
MOST_LEFT_OUT = 20  # of those, before it is given up
CANCELLED = "Changes nothing now: the weights sum to 1, so the unconditional pass, in which ω acts, is gone."
BELOW_ZERO = "Changes nothing now: no row with a LoRA or a fine-tune has a weight above 0."


def idle_of_form(values: Mapping[str, Any]) -> dict[str, str]:
    """What :func:`idle` says of a form that is refused, by what decides it alone; nothing where that
    is what cannot be."""
    decisive = {name: values[name] for name in DECISIVE if name in values}
    for _ in range(MOST_LEFT_OUT):
        try:
            return idle(to_preset(decisive))
        except StudioError as error:
            named = _BESIDE.match(error.field)
            rows = _without(decisive.get("rows"), named) if named else None
            if rows is None:
                return {}
            decisive["rows"] = rows
    return {}


def _without(rows: Any, named: re.Match[str]) -> list[Any] | None:
    """Rows of the form without a part of one; ``None`` where it has none."""
    index, part = int(named[1]), named[2]
    if not isinstance(rows, list | tuple) or index >= len(rows):
        return None
    row = rows[index]
    if not isinstance(row, dict) or not row.get(part):
        return None
    gone = ("control", "controls") if part == "control" else (part,)  # further ones need a first
    kept = {name: value for name, value in row.items() if name not in gone}
    return [*rows[:index], kept, *rows[index + 1 :]]


def idle(preset: Preset, known: Stated | None = None) -> dict[str, str]:
    """Fields whose value makes no difference to the plan, and why.

    Args:
        known: of this preset; found here where it is not given.
    """
    known = known or stated(preset, library())
    found = {
        name: reason for name, reason in IDLE_REASONS.items() if not _matters(preset, name, known)
    }
    if "omega" in found and _is_cancelled(preset, known):
        found["omega"] = CANCELLED
    elif "omega" in found and _is_below_zero(preset, known):
        found["omega"] = BELOW_ZERO
    return found


def _is_cancelled(preset: Preset, known: Stated) -> bool:
    """Whether ω would act, were it not that the weights of the rows sum to 1."""
    if abs(fsum(row.weight for row in preset.rows if row.enabled) - 1.0) > 1e-9:
        return False
    return _matters(_weighed(preset, [2 * row.weight for row in preset.rows]), "omega", known)


def _is_below_zero(preset: Preset, known: Stated) -> bool:
    """Whether ω would act, were the weights of all rows above 0."""
    if all(row.weight > 0 for row in preset.rows):
        return False
    above = [row.weight if row.weight > 0 else 1.0 for row in preset.rows]
    # Where the first sum to 1, which lets ω go too, the second do not.
    return any(
        _matters(_weighed(preset, [scale * weight for weight in above]), "omega", known)
        for scale in (1, 2)
    )


def _weighed(preset: Preset, weights: Sequence[float]) -> Preset:
    pairs = zip(preset.rows, weights, strict=True)
    rows = tuple(row.model_copy(update={"weight": weight}) for row, weight in pairs)
    return preset.model_copy(update={"rows": rows})


def _matters(preset: Preset, name: str, known: Stated) -> bool:
    plans = (
        stated_plan(preset.model_copy(update={name: value}), library(), known=known)
        for value in (0.37, 0.61)
    )
    low, high = ([(str(one), one.passes) for one in plan.with_later()] for plan in plans)
    return low != high
