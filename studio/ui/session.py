"""One press of Generate, and what one page has made and asked for."""

from __future__ import annotations

import contextvars
import itertools
import secrets
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from studio.errors import first_of
from studio.events import Done, Progress, kept_of
from studio.preset import Preset
from studio.preset.sampler import MAX_SEED
from studio.ui.counts import counted
from studio.ui.history.moments import Moment
from studio.ui.history.unopened import Unopened

ACTIVE = ("waiting", "running")
ENDING = "Stopping: what is being made ends before its next step"
_numbers = itertools.count(1)
_STARTED = secrets.token_hex(4)


@dataclass
class Cost:
    """What finished images took in all."""

    forwards: int = 0
    seconds: float = 0.0

    def add(self, done: Done) -> None:
        """Take in one more."""
        self.forwards += done.forwards
        self.seconds += done.seconds


@dataclass(eq=False)
class Series:
    """Runs that one press has asked for and that are shown together, such as a sweep. ``title``: what
    the queue calls them; "" where the name and the prompts of the first are those of all."""

    total: int
    title: str = ""
    cost: Cost = field(default_factory=Cost)
    moments: list[Moment] = field(default_factory=list)  # by the places of their runs
    asked: int = 0
    failed: list[str] = field(
        default_factory=list
    )  # why, of each of its runs that could not be made
    reasons: list[str] = field(default_factory=list)  # the same without the runs' labels
    _places: list[int] = field(default_factory=list)

    def ask(self) -> int:
        """The place of its next run."""
        self.asked += 1
        return self.asked - 1

    def fail(self, label: str, error: str) -> None:
        """Take in that a run could not be made, and why."""
        self.failed.append(": ".join(filter(None, [label, error])))
        self.reasons.append(error)

    def goes_on(self, runs: Sequence[Run]) -> bool:
        """Whether one of some runs is of it."""
        return any(one.series is self for one in runs)

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
    before: tuple[Moment, ...] = ()  # of the one that it follows, for as long as it has no preview
    done: Done | None = None
    cost: Cost = field(default_factory=Cost)
    first: Done | None = None  # the picture of the first of two passes, while the second goes on
    first_kept: bool = False  # as the run ended before the passes after it were through
    error: str = ""
    problem: str = ""  # with what it has made, such as a disk that is full
    began: float = 0.0
    cancelled: bool = False
    unwatched: bool = False  # cancelled by nobody: no page looked at it for too long
    kept: set[int] = field(default_factory=set)  # the unfinished ones that were saved
    unbegun: bool = False  # taken out of the queue, with nothing made before it in its series
    series: Series | None = None
    label: str = ""  # what sets it apart in its series
    parent: str | None = None  # the picture that it is made of; None: what the session loaded last
    place: int = 0  # in its series
    visitor: str = ""  # whose it is where visitors share the machine
    apart: bool = False  # its images are no part of the history
    of_form: bool = False  # made of what the page's form held
    explain: bool = False  # keeps what its rows pull towards
    forever: bool = False  # one more of it comes when it is done
    earlier: int = 0  # images of those that it follows
    differs: tuple[Preset, list[str]] | None = None  # what it was compared with, and what is other
    number: int = field(default_factory=lambda: next(_numbers))  # its line's name on the page
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE

    def key(self) -> str:
        """Its name on a page that may have seen runs of an earlier start."""
        return f"{_STARTED}.{self.number}"

    def beside(self, other: Run) -> bool:
        """Whether the other is of the same series."""
        return self.series is not None and self.series is other.series

    def next(self) -> Run:
        """The one that comes after it where it goes on for ever: the same with the next seeds."""
        return Run(
            next_seeds(self.preset),
            self.session,
            self.folder,
            self.forwards,
            before=tuple(self.moments),
            done=self.done,
            forever=True,
            earlier=self.earlier + len(self.moments),
            number=self.number,
            parent=self.parent,
            context=self.context,
        )

    def why_over(self) -> str:
        """Why it was not made to its end, in a word."""
        return "Given up, as no page looked at it" if self.unwatched else "Cancelled"

    def left(self) -> str:
        """What it leaves where it was cancelled, in words, with what those before it made."""
        made = len(self.shown()) - self.first_kept
        more = f" · {kept_of(self.preset)}" if self.first_kept else ""
        if self.earlier:
            whole = self.earlier + made
            return f"{whole} image{'' if whole == 1 else 's'} finished{more}"
        return (
            f"{made} of {self.wanted()} finished{more}"
            if made
            else more[3:] or "nothing was finished"
        )

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

    def failures(self) -> list[str]:
        """How many of its series could not be made, and which with why; empty where all could."""
        reasons = self.series.failed if self.series else []
        return [f"{len(reasons)} failed", first_of(reasons)] if reasons else []

    def taken(self) -> Cost:
        """What it, or its series, has taken so far for what is finished."""
        return self.series.cost if self.series else self.cost

    def summary(self) -> str:
        """What is said of it beside how many are made: of one its own text, of several what all took."""
        if len(self.shown()) < 2:
            return self.moments[-1].text if self.moments else ""
        cost = self.taken()
        return f"{counted(cost.forwards, 'pass')} · {cost.seconds:.1f} s"

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
        if not self.preset.once and self.progress and self.progress.step:
            step = self.progress  # of one image; steps of its later passes take longer
            ahead = self.preset.sampler.count - len(self.moments) - 1
            return step.seconds_left + max(0, ahead) * (step.seconds + step.seconds_left)
        return (time.monotonic() - self.began) * (1 - part) / part


def next_seeds(preset: Preset) -> Preset:
    """The same preset whose images follow on its own: the seed, or with a variation the variation's
    seed, behind the last one. A variation seed of −1 stays one: it is new each time."""
    sampler = preset.sampler
    name = "variation_seed" if sampler.variation_strength else "seed"
    last = getattr(sampler, name)
    if last < 0:
        return preset
    following = (last + sampler.count) % (MAX_SEED + 1)
    return preset.model_copy(update={"sampler": sampler.model_copy(update={name: following})})


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

    def taking(self, run: Run) -> list[Run]:
        """Its active runs and one more; of those that go on for ever, the last one alone goes on."""
        active = self.active()
        for one in active:
            one.forever = one.forever and not run.forever
        return [*active, run]

    def made_before(self, run: Run) -> list[Moment]:
        """What the one that it follows made, else the last of the runs that it waited for and that
        made anything."""
        if run.before:
            return list(run.before)
        at = self.runs.index(run) if run in self.runs else 0
        earlier = [one.shown() for one in self.runs[:at] if not one.apart]
        return ([moments for moments in earlier if moments] or [[]])[-1]

    def current(self) -> Run | None:
        """The run to show: the one that runs, the next that waits, or the last that ended, which is
        none that was taken out of the queue where there is another."""
        active = self.active()
        running = [run for run in active if run.state == "running"]
        ended = [run for run in self.runs if not run.unbegun] or self.runs
        return (running or active or ended[-1:] or [None])[0]
