"""The fields of the form that nothing reads as the others stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from studio.library.families import FAMILIES
from studio.preset.finders import FINDERS, OFF
from studio.preset.freeu import NAMES
from studio.ui.library.models import library
from studio.ui.schema import leaves

Unused = dict[str, str | None]


_ENLARGES = (
    "scale",
    "strength",
    "enlarge",
    "upscaler",
)  # of a second pass, also where no step runs


def unused_fields(values: Mapping[str, Any]) -> Unused:
    """Fields that nothing reads now: ``None`` for those that stand as they are by default, else why.

    Args:
        values: the form's, by field name.
    """
    found = (
        _of_refiner(values),
        _of_second_pass(values),
        _of_detail(values),
        _of_freeu(values),
        _unread(values),
    )
    return {name: why for part in found for name, why in part.items()}


def _of_refiner(values: Mapping[str, Any]) -> Unused:
    """Where a refiner begins, where there is none."""
    if values.get("refiner_model"):
        return {}
    return _without(values, ("refiner_at",), "Changes nothing now: the base makes all of it.")


def _of_second_pass(values: Mapping[str, Any]) -> Unused:
    """What a second pass would read, where there is none."""
    scale = values.get("second_pass_scale", 1)
    others = [name for name in leaves() if name.startswith("second_pass_")]
    if isinstance(scale, int | float) and scale > 1:
        none = "Changes nothing now: at strength 0 no step of the second pass runs."
        enlarges = [f"second_pass_{name}" for name in _ENLARGES]
        of_steps = [name for name in others if name not in enlarges]
        return dict.fromkeys(of_steps, none) if values.get("second_pass_strength") == 0 else {}
    others.remove("second_pass_scale")
    none = "Changes nothing now: there is no second pass, which is once as large."
    return _without(values, others, none)


def _of_detail(values: Mapping[str, Any]) -> Unused:
    """What a detail would read, where nothing is made again or its finder reads no words."""
    finder = values.get("detail_finder", OFF)
    if finder not in FINDERS or FINDERS[finder].reads_words:
        return {}
    if finder != OFF:
        none = "Changes nothing now: only what words say is found by them."
        return _without(values, ("detail_words", "detail_confidence"), none)
    others = [name for name in leaves() if name.startswith("detail_")]
    others.remove("detail_finder")
    return _without(values, others, "Changes nothing now: no part is made again.")


def _of_freeu(values: Mapping[str, Any]) -> Unused:
    """FreeU's factors, where it is off."""
    if values.get("freeu_on"):
        return {}
    factors = [f"freeu_{name}" for name in NAMES]
    return _without(values, factors, "Changes nothing now: FreeU is off.")


def _without(values: Mapping[str, Any], names: Iterable[str], why: str) -> Unused:
    """These fields: ``None`` where they stand as they are by default, else why they change nothing."""
    plain = {name: (leaves()[name]["default"], None, "") for name in names}
    return {name: None if values.get(name) in some else why for name, some in plain.items()}


def _unread(values: Mapping[str, Any]) -> Unused:
    """Empty fields that no network of the base's family reads."""
    base = str(values.get("base") or "")
    family = FAMILIES.get(library()[base].family) if base in library() else None
    if family is None:
        return {}
    reads = {"distilled_guidance": family.distilled, "clip_skip": family.clip_skip}
    found: Unused = {
        n: None for n, any_ in reads.items() if not any_ and values.get(n) in (None, "")
    }
    return found if family.freeu or values.get("freeu_on") else found | {"freeu_on": None}
