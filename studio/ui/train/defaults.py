"""What a method brings with it on a base: its numbers and its template, where nobody typed others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.errors import StudioError
from studio.train.config import TrainConfig, defaults, is_small
from studio.train.method import METHODS, methods_on, ordered
from studio.ui.library import models

NUMBERS = (
    "steps",
    "batch",
    "rate",
    "token_rate",
    "rank",
    "vectors",
    "sample_every",
    "sample_weight",
)
BROUGHT = ("template", *NUMBERS)


def chosen_by_default(method: str, small: bool) -> dict[str, Any]:
    """Every setting's default for a method; a number box without one would read as zero."""
    plain = {name: field.default for name, field in TrainConfig.model_fields.items()}
    chosen = plain | defaults(method, small)
    chosen["sample_every"] = max(1, chosen["steps"] // 4)
    return chosen


def methods(base: str) -> tuple[str, ...]:
    """What trains on this base, in the order of lists; a base not in the library is taken for SD 1."""
    try:
        family = models.library()[base].family
    except StudioError:
        family = ""
    return methods_on(family) or tuple(name for name, _ in ordered())


def suggested(method: str, base: str) -> list[Any]:
    """The method's default numbers and template on this base, for the fields that show them."""
    try:
        small = is_small(models.library()[base])
    except StudioError:
        small = False
    chosen = chosen_by_default(method, small)
    return [chosen["template"], *(chosen[name] for name in NUMBERS)]


def brought(
    method: str, base: str, shown: Sequence[Any], before: Sequence[str] = ()
) -> tuple[list[Any], list[str]]:
    """The fields of :data:`BROUGHT` once a person has chosen a method or a base: its defaults, but
    what somebody typed stays. An empty box is nothing typed.

    Args:
        shown: what the fields hold.
        before: the method and the base whose defaults were brought last: what is none of these
            was typed. Where that is not known, what is no method's default.

    Returns:
        their values, and the names of those that stay other than the method would have them.
    """
    fresh = dict(zip(BROUGHT, suggested(method, base), strict=True))
    known = (
        [dict(zip(BROUGHT, suggested(*before), strict=True))]
        if len(before) == 2
        else [chosen_by_default(name, small) for name in METHODS for small in (False, True)]
    )
    kept = [
        name
        for name, value in zip(BROUGHT, shown, strict=True)
        if value not in (None, "", fresh[name]) and value not in [one[name] for one in known]
    ]
    given = dict(zip(BROUGHT, shown, strict=True))
    return [given[name] if name in kept else value for name, value in fresh.items()], kept
