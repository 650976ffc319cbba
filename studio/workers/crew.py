"""What a pool says to workers, and what it hears of them, whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from studio.events import Done, Event
from studio.workers.job import Job


@dataclass(frozen=True)
class Setup:
    """What a worker is made with.

    Args:
        roots: folders that relative pictures may lie in.
        threads: of a CPU's sums; other numbers add up in another order.
        device: of the engine; its own choice where none is given.
        sharing: workers that share that device's memory.
        far: whether it is on another machine, perhaps: models are known by what they hold.
    """

    roots: tuple[str, ...] = ()
    threads: int = 1
    device: str | None = None
    sharing: int = 1
    far: bool = False


@dataclass(frozen=True)
class Made:
    """A job's pictures. ``spent``: seconds of processor time."""

    done: tuple[Done, ...]
    spent: float
    device: str


@dataclass(frozen=True)
class Mistake:
    """A person's mistake, as the engine has named it."""

    message: str
    field: str


@dataclass(frozen=True)
class Lacking:
    """Models that this worker lacks: id → what is so, in words."""

    models: Mapping[str, str]


@dataclass(frozen=True)
class Cancelled:
    """Nothing was made, as was asked."""


Answer = Made | Mistake | Lacking | Cancelled


class Works(Protocol):
    """What does the jobs, wherever it runs: :class:`studio.workers.worker.Worker`."""

    @property
    def device(self) -> str:
        """The kind of its device."""
        ...

    def work(
        self, job: Job, cancelled: Callable[[], bool], moved: Callable[[Event | None], object]
    ) -> Answer:
        """The answer to a job; ``moved`` gets the events of one that is watched."""
        ...


@dataclass(frozen=True)
class Ready:
    """A worker has started. ``versions``: as :func:`studio.workers.versions.versions`."""

    worker: int
    versions: Mapping[str, str]
    where: str = "this machine"
    device: str = "cpu"


@dataclass(frozen=True)
class Moved:
    """A worker has begun a job, or done a step of one.

    ``event``: of the job of that ``number``, where it is watched.
    """

    worker: int
    number: int = -1
    event: Event | None = None


@dataclass(frozen=True)
class Answered:
    """A worker's answer to a job, by the job's number."""

    worker: int
    number: int
    answer: Answer


@dataclass(frozen=True)
class Lost:
    """A worker has ended, or its state is not to be trusted."""

    worker: int
    reason: str


Report = Ready | Moved | Answered | Lost


class Crew(Protocol):
    """Workers of one kind, by number. None of these waits but :meth:`wait`."""

    where: str  # its workers are, as far as is known before they say so

    def hire(self, worker: int) -> None:
        """Start one; it reports :class:`Ready` or :class:`Lost`."""
        ...

    def give(self, worker: int, number: int, job: Job) -> None:
        """Hand over a job; a worker's jobs are done in the order in which they were given."""
        ...

    def cancel(self, worker: int) -> None:
        """Every job that the worker has is answered :class:`Cancelled`, within a step."""
        ...

    def dismiss(self, worker: int) -> None:
        """End one, whatever it does; nothing more is heard of it."""
        ...

    def wait(self, seconds: float) -> list[Report]:
        """What has happened, as soon as something has; [] after ``seconds``."""
        ...

    def stop(self) -> None:
        """End all."""
        ...
