"""The table of efforts: how much of a step's work may be left to what the steps before it found.

:mod:`studio.engine.effort` holds the rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from studio.extensions import Table

EXACT = "exact"
MOST = 1.0  # an allowed error beyond this is no picture any more


@dataclass(frozen=True)
class Effort:
    """One effort.

    Args:
        title: what the page calls it.
        help: one line on what it does.
        allowed: what rows that are not run anew may add to the finished latent, as a root mean
            square, before they are; 0 for everything at every step.
    """

    title: str
    help: str
    allowed: float


EFFORTS: Table[Effort] = Table("effort")
EFFORTS.register(EXACT, Effort("Exact", "Every pass at every step.", 0.0))
EFFORTS.register(
    "balanced",
    Effort(
        "Balanced",
        "About two fifths of the passes of eight rows; differences that are hard to see.",
        0.035,
    ),
)
EFFORTS.register(
    "fast",
    Effort("Fast", "About a third of the passes of eight rows; small differences in detail.", 0.06),
)


def allowed_error(effort: str | float) -> float:
    """The error that an effort of a preset allows: a name of the table, or the number itself."""
    return EFFORTS[effort].allowed if isinstance(effort, str) else effort


def notes_of(effort: str | float) -> list[str]:
    """What to know of the stated cost before a run."""
    if not allowed_error(effort):
        return []
    return [
        f"effort {effort}: these are the most passes that it takes; what a row changes is run again "
        "only where it would matter"
    ]


def _an_effort(value: Any) -> Any:
    """A name of the table; a number, or text that is one, as the allowed error."""
    try:
        if not isinstance(value, bool):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        if isinstance(value, str) and value in EFFORTS:
            return value
    raise ValueError(f"is no effort; there is {', '.join(EFFORTS)}, or the allowed error")


def _listed_efforts(schema: dict[str, Any]) -> None:
    schema["anyOf"][0]["enum"] = list(EFFORTS)


EffortField = Annotated[
    Annotated[str, Field(strict=True)] | Annotated[float, Field(ge=0.0, le=MOST, strict=True)],
    BeforeValidator(_an_effort),
    Field(json_schema_extra=_listed_efforts),
]
