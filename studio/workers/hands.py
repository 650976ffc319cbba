"""The pool's book: places for workers, what each has in hand and in memory, who gets which job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from studio.errors import StudioError
from studio.events import Event
from studio.workers.crew import Made
from studio.workers.job import Job

MOST_STRIKES = 2  # workers that one place may lose in a row without a picture
WINDOW = 64  # jobs that are looked through for one whose networks a worker has
REMEMBERED = 24  # networks; a worker keeps those that fit, the latest

Task = TypeVar("Task")


@dataclass(eq=False)
class Ticket:
    """A job on its way. ``run``: the run that it is of; ``tries``: workers that it has cost."""

    run: Any
    index: int
    job: Job
    number: int = -1
    tries: int = 0


@dataclass(eq=False)
class Hand:
    """A worker. ``since``: when it was last heard of, or got its job; ``lacks``: models, in words."""

    worker: int
    since: float
    where: str
    ready: bool = False
    tickets: list[Ticket] = field(default_factory=list)
    networks: dict[str, None] = field(default_factory=dict)
    lacks: dict[str, str] = field(default_factory=dict)

    def take(self, number: int) -> Ticket | None:
        """The ticket of a number, which leaves the hand."""
        ticket = self.holds(number)
        if ticket is not None:
            self.tickets.remove(ticket)
        return ticket

    def remember(self, networks: frozenset[str]) -> None:
        """These were used last; the oldest of too many are forgotten."""
        for name in networks:
            self.networks.pop(name, None)
            self.networks[name] = None
        for name in list(self.networks)[:-REMEMBERED]:
            del self.networks[name]

    def holds(self, number: int) -> Ticket | None:
        """The ticket of a number."""
        return next((ticket for ticket in self.tickets if ticket.number == number), None)

    def near(self, job: Job) -> int:
        """How many of a job's networks it has, or will have when it comes to it."""
        coming = {name for ticket in self.tickets for name in ticket.job.networks}
        return len(job.networks & (self.networks.keys() | coming))


@dataclass(eq=False)
class Place:
    """Room for a worker. ``strikes``: workers lost in a row without a picture."""

    hand: Hand | None = None
    strikes: int = 0

    @property
    def closed(self) -> bool:
        """Whether no worker is tried here any more."""
        return self.hand is None and self.strikes >= MOST_STRIKES


def best_for(hand: Hand, waiting: Sequence[Ticket], hands: Sequence[Hand]) -> Ticket | None:
    """The job whose networks a worker has; of equals the one that others have least of, then the
    first. ``None`` where it lacks a model of every one."""
    others = [one for one in hands if one is not hand]
    fitting = [ticket for ticket in waiting if not hand.lacks.keys() & dict(ticket.job.models)]

    def rank(ticket: Ticket) -> tuple[int, int]:
        elsewhere = max((one.near(ticket.job) for one in others), default=0)
        return len(ticket.job.networks) - hand.near(ticket.job), elsewhere

    return min(fitting, key=rank, default=None)


class Run(Generic[Task]):
    """The tasks of one run: those that wait near the front, and how many are not done.

    ``wrong``: what is wrong with the first task that no job could be made of; those before it are
    done nevertheless, as one after another they would be. ``failed``: what has ended the run.

    Args:
        heard: gets what a worker says of a watched job while it makes it: the task's number, and the
            event. A job that was begun again says all of it again.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        pack: Callable[[Task], Job],
        heard: Callable[[int, Event], object] = lambda index, event: None,
    ) -> None:
        self.open = len(tasks)
        self.waiting: list[Ticket] = []
        self.wrong: StudioError | None = None
        self.failed: StudioError | None = None
        self.heard = heard
        self._made: list[tuple[int, Made]] = []
        self._tasks, self._pack, self._next = tasks, pack, 0

    def keep(self, ticket: Ticket, made: Made) -> None:
        """A job is done."""
        self.open -= 1
        self._made.append((ticket.index, made))

    def taken(self) -> list[tuple[int, Made]]:
        """What has been made since this was asked last."""
        made, self._made = self._made, []
        return made

    def fail(self, error: StudioError) -> None:
        """It ends with this; what was wrong first is what is said."""
        self.failed = self.failed or error
        self.close()

    def fill(self) -> None:
        """Make jobs until enough wait."""
        while len(self.waiting) < WINDOW and self._next < len(self._tasks):
            try:
                job = self._pack(self._tasks[self._next])
            except StudioError as error:
                self.wrong, self.open = error, self.open - (len(self._tasks) - self._next)
                self._next = len(self._tasks)
                return
            self.waiting.append(Ticket(self, self._next, job))
            self._next += 1

    def back(self, ticket: Ticket) -> None:
        """To the front again, unless the run is over."""
        if self.open:
            self.waiting.insert(0, ticket)

    def close(self) -> None:
        """Nothing of it is wanted any more."""
        self.open = 0
        self.waiting.clear()


def nearest(hands: Sequence[Hand], waiting: Sequence[Ticket]) -> list[Hand]:
    """The workers that are there; first the one that has most of what a waiting job needs."""
    ready = [hand for hand in hands if hand.ready]
    if len(waiting) >= len(ready):  # each gets one
        return ready
    return sorted(ready, key=lambda hand: -max((hand.near(one.job) for one in waiting), default=0))


def can_go_on(run: Run[Any], hands: Sequence[Hand]) -> bool:
    """Whether a job of it is under way, or one that waits fits a worker."""
    return any(
        best_for(hand, run.waiting, ()) or any(ticket.run is run for ticket in hand.tickets)
        for hand in hands
    )


def lacking_in(job: Job, hands: Sequence[Hand]) -> str:
    """Why nobody takes a job: the models that each lacks, in a line."""
    lines = {
        f"a worker on {hand.where} {what}"
        for hand in hands
        for name, what in hand.lacks.items()
        if name in job.models
    }
    return "; ".join(sorted(lines)) or "no worker takes a job"


def words_of(error: BaseException) -> str:
    """An error of whatever kind, in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
