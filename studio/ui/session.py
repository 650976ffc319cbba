"""One press of Generate, and what one page has made and asked for."""

from __future__ import annotations

import contextvars
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from studio.events import Done, Progress
from studio.preset import Preset
from studio.ui.history.moments import Moment
from studio.ui.history.unopened import Unopened

ACTIVE = ("waiting", "running")


@dataclass(eq=False)
class Series:
    """Runs that one press has asked for and that are shown together, such as a sweep."""

    total: int
    moments: list[Moment] = field(default_factory=list)  # by the places of their runs
    asked: int = 0
    _places: list[int] = field(default_factory=list)

    def ask(self) -> int:
        """The place of its next run."""
        self.asked += 1
        return self.asked - 1

    def keep(self, place: int, moment: Moment) -> None:
        """Take in what the run of a place has made; runs may end in another order."""
        index = bisect_right(self._places, place)
        self._places.insert(index, place)
        self.moments.insert(index, moment)


@dataclass(eq=False)
class Run:
    """One press of Generate. ``state``: waiting, running, done, cancelled or failed."""

    preset: Preset
    session: Session
    folder: Path
    forwards: int = 0  # that it will take in all; 0 where that is not known
    state: str = "waiting"
    progress: Progress | None = None
    previews: tuple[Image.Image, ...] = ()
    moments: list[Moment] = field(default_factory=list)
    done: Done | None = None
    error: str = ""
    problem: str = ""  # with what it has made, such as a disk that is full
    began: float = 0.0
    cancelled: bool = False
    series: Series | None = None
    label: str = ""  # what sets it apart in its series
    place: int = 0  # in its series
    visitor: str = ""  # whose it is where visitors share the machine
    apart: bool = False  # its images are no part of the history
    explain: bool = False  # keeps what its rows pull towards
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    def share(self) -> float:
        """The part of the run that is done, 0 to 1, over all its images."""
        count = self.preset.sampler.count
        made, step = len(self.moments), self.progress
        batch = len(self.previews) if made < count else 0
        within = step.step / max(1, step.steps) if step and batch else 0.0
        return min(1.0, (made + min(batch, count - made) * within) / count)

    def shown(self) -> list[Moment]:
        """What has been made by it and by those of its series before it, in order."""
        return self.series.moments if self.series else self.moments

    def wanted(self) -> int:
        """How many images it, or its series, makes in all."""
        return self.series.total if self.series else self.preset.sampler.count

    def share_of_all(self) -> float:
        """The part that is done of it, or of its series."""
        before = len(self.shown()) - len(self.moments)
        return min(1.0, (before + self.share() * self.preset.sampler.count) / self.wanted())

    def seconds_left(self) -> float | None:
        """Until its last image, by what it has taken so far; ``None`` before the first step."""
        part = self.share()
        if not self.began or not part:
            return None
        return (time.monotonic() - self.began) * (1 - part) / part


@dataclass(eq=False)
class Session:
    """What one page has made and asked for; it outlives a reload."""

    key: str
    moments: list[Moment]
    runs: list[Run] = field(default_factory=list)
    version: int = 0
    looked: float = field(default_factory=time.monotonic)
    parent: str = ""  # the picture that was loaded last
    history: Unopened | None = None  # of a visitor's own
    watchers: dict[str, object] = field(default_factory=dict)

    def active(self) -> list[Run]:
        """Its runs that wait or run, oldest first."""
        return [run for run in self.runs if run.active()]

    def current(self) -> Run | None:
        """The run to show: the one that runs, the next that waits, or the last that ended."""
        active = self.active()
        running = [run for run in active if run.state == "running"]
        return (running or active or self.runs[-1:] or [None])[0]
