"""A worker as Ray's actor: what runs on another machine. Ray itself is not imported here."""

from __future__ import annotations

import platform
import threading
import warnings
from collections.abc import Mapping

from studio.events import Event, Preview, Progress
from studio.workers.crew import Answer, Cancelled, Setup, Works
from studio.workers.job import Job
from studio.workers.versions import versions
from studio.workers.worker import Worker


class RayWorker:
    """One engine. ``hello`` and ``work`` run one after another; ``moves`` and ``cancel`` beside them."""

    def __init__(self, setup: Setup) -> None:
        warnings.simplefilter("ignore")
        self.setup = setup
        self.worker: Works | None = None
        self._moves, self._cancelled, self._number = 0, -1, -1
        self._events: list[Event] = []  # of the job that is watched, since they were asked for
        self._lock = threading.Lock()

    def hello(self) -> tuple[Mapping[str, str], str, str]:
        """Make the engine; its versions, the machine's name, the kind of its device."""
        self.worker = self.made()
        return versions(), platform.node() or "another machine", self.worker.device

    def made(self) -> Works:
        """What does the jobs."""
        return Worker(self.setup)

    def work(self, number: int, job: Job) -> Answer:
        """The answer to a job."""
        assert self.worker is not None  # hello comes first
        with self._lock:
            self._number, self._events = number, []
        self._moved()
        if self._is_cancelled(number):
            return Cancelled()
        return self.worker.work(job, lambda: self._is_cancelled(number), self._moved)

    def moves(self) -> tuple[int, int, list[Event]]:
        """Steps so far, a number that stays being a worker that stands still; the job's number, and
        what has been said of it since this was asked last."""
        with self._lock:
            events, self._events = self._events, []
            return self._moves, self._number, events

    def cancel(self, number: int) -> None:
        """Jobs up to this number are not wanted any more."""
        self._cancelled = max(self._cancelled, number)

    def _is_cancelled(self, number: int) -> bool:
        return number <= self._cancelled

    def _moved(self, event: Event | None = None) -> None:
        with self._lock:
            self._moves += 1
            if isinstance(event, Progress | Preview):  # an older one is no news
                self._events = [one for one in self._events if not isinstance(one, type(event))]
            if event is not None:
                self._events.append(event)
