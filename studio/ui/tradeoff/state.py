"""Where a search on the page stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from studio.ui.tradeoff.subject import Subject

if TYPE_CHECKING:
    from studio.experiments.tune.points import Point

SCORES = ("clip-i", "clip-t")


@dataclass
class State:
    """Where a search stands. ``state``: idle, running, done, stopped or failed."""

    state: str = "idle"
    text: str = ""
    subject: Subject | None = None
    prompt: str = ""  # that the pictures follow
    points: list[Point] = field(default_factory=list)
    best: list[Point] = field(default_factory=list)
    note: str = ""
    begun: int = 0  # pictures of a setting that is not measured yet
    made: int = 0  # pictures that this search has come to, of ``total``; not those of earlier ones
    total: int = 0
    asked: int = 0  # pictures, by whoever began it; a setting is not begun for a part of its own
    weight: bool = False  # whether the row's weight is searched too
    key: str = ""  # what makes it the same search, by the script that asked for it
    version: int = 0
