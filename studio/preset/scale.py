"""The scale of classifier-free guidance, one number for all rows, as other tools have it.

A prompt and a negative prompt under scale w are rows of weight w and 1 − w (GCFG, Eq. 7): weights that
sum to 1, so that nothing of the unconditional prediction is left. Further prompts keep their share of
the first one's weight, as behind ``AND`` in those tools.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from studio.errors import BadPreset, shorten
from studio.preset.bounds import bounds
from studio.preset.document import Preset
from studio.preset.rows import Row, taking_part

SCALE = "cfg"  # where another has the path of a field
TITLE = "CFG scale (the negative prompt with it)"
ONE = 1e-6  # how near weights that are typed come to a sum of 1


def scale_of(preset: Preset) -> float | None:
    """The weight of the first prompt, where the others follow from it; ``None`` where they do not: a
    row has a reference of its own, or negative weights do not bring the sum to 1."""
    toward, away = _parts(preset)
    if not toward or (away and not _sums_to_one(preset, [*toward, *away])):
        return None
    return preset.rows[toward[0]].weight


def with_scale(preset: Preset, scale: Any) -> Preset:
    """``preset`` under another scale; beside one prompt a negative one becomes what it is there.

    Raises:
        BadPreset: ``scale`` is no number above 0, the rows have none, or a weight would lie outside
            the bounds of one.
    """
    low, high = bounds(Row, "weight")
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < math.inf:
        raise BadPreset(f"a number above 0, got {shorten(scale)}", field=SCALE)
    if scale > high:
        raise BadPreset(f"at most {high:g}, got {shorten(scale)}", field=SCALE)
    toward, away = _parts(preset)
    if not toward or (len(toward) > 1 and away and scale_of(preset) is None):
        raise BadPreset(
            "these rows have no CFG scale: it is of rows that are compared with the unconditional "
            "prediction, one above 0 or more, and with those below 0 of weights that sum to 1",
            field=SCALE,
        )
    weights = {at: row.weight for at, row in enumerate(preset.rows)}
    grown = scale / weights[toward[0]]
    made = {at: weights[at] * grown for at in toward}
    rest, before = 1.0 - sum(made.values()), sum(weights[at] for at in away)
    for at in away:
        made[at] = rest * weights[at] / before if before else rest / len(away)
    if any(not low <= weight <= high for weight in made.values()):
        raise BadPreset(f"a weight would lie outside {low:g} to {high:g}", field=SCALE)
    rows = [
        row.model_copy(update={"weight": round(made.get(at, row.weight), 10)})
        for at, row in enumerate(preset.rows)
    ]
    return preset.model_copy(update={"rows": tuple(rows)})


def _parts(preset: Preset) -> tuple[list[int], list[int]]:
    """The rows that lead to something, and those that lead away; none where one has its own reference."""
    rows = taking_part(preset.rows)
    if any(row.reference != "unconditional" for _, row in rows):
        return [], []
    toward, away = [at for at, r in rows if r.weight > 0], [at for at, r in rows if r.weight < 0]
    zero = [at for at, row in rows if row.weight == 0]
    # Scale 1 leaves nothing of a negative prompt; of several rows at 0 nothing tells their shares.
    if not away and len(toward) == len(zero) == 1 and _sums_to_one(preset, toward):
        away = zero
    return toward, away


def _sums_to_one(preset: Preset, places: Sequence[int]) -> bool:
    rows: list[Row] = [preset.rows[at] for at in places]
    return math.isclose(sum(row.weight for row in rows), 1.0, abs_tol=ONE)
