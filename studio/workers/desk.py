"""Jobs of many who ask at once, for one pool: each follows the events of its own.

A thread of the desk's own brings the pool on, as the pool knows one thread only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from queue import Empty, SimpleQueue
from typing import Any

from studio.errors import StudioError
from studio.events import Done, Event
from studio.workers.crew import Made
from studio.workers.hands import Run, words_of
from studio.workers.job import Job
from studio.workers.pool import FIELD, MOST_TRIES, Pool

TICK_SECONDS = 0.1  # until the thread looks for a new order, or one that is cancelled
_END = object()


class _Order:
    """A job, and what its follower has not read yet: events, an error, or that it is done."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.tries = 0  # pools that it has cost
        self.run: Run[Job] | None = None
        self.mail: SimpleQueue[Any] = SimpleQueue()
        self._passed: set[int] = set()  # pictures; a job that was begun again makes the first again

    def hear(self, event: Event) -> None:
        """Pass an event on; a picture once."""
        if isinstance(event, Done):
            if event.index in self._passed:
                return
            self._passed.add(event.index)
        self.mail.put(event)

    def end(self, made: list[tuple[int, Made]]) -> None:
        """It is done: whatever has not come by events yet is passed on."""
        for _, one in made:
            for done in one.done:
                self.hear(done)
        self.mail.put(_END)


class Desk:
    """One pool for many.

    Args:
        opened: makes the pool; called when there is work, and again after it has failed.
        room: jobs that are done at once, as far as is known before the pool is there.
    """

    def __init__(self, opened: Callable[[], Pool], room: int = 1) -> None:
        self._opened, self._room = opened, room
        self._pool: Pool | None = None
        self._orders: list[_Order] = []
        self._inbox: SimpleQueue[tuple[_Order, bool]] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def room(self) -> int:
        """How many jobs it has workers for."""
        pool = self._pool
        return len(pool.places) if pool is not None else self._room

    def events(self, job: Job, idle_seconds: float = 1.0) -> Generator[Event | None, None, None]:
        """What is said of a watched job, as it comes; ``None`` when nothing was for a while.

        Closing the generator cancels the job within a step.

        Raises:
            StudioError: what is wrong with the job, or with the workers.
        """
        order = _Order(job)
        self._tell(order, True)
        try:
            while True:
                try:
                    said = order.mail.get(timeout=idle_seconds)
                except Empty:
                    said = None
                if said is _END:
                    return
                if isinstance(said, StudioError):
                    raise said
                yield said
        finally:
            self._tell(order, False)

    def _tell(self, order: _Order, wanted: bool) -> None:
        self._inbox.put((order, wanted))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
                self._thread.start()

    # -- the desk's own thread ------------------------------------------------------------------
    def _work(self) -> None:
        while True:
            try:
                self._read()
                self._turn()
            except Exception as error:  # a cluster that has gone, say; it must take no more with it
                self._fail(error)

    def _read(self) -> None:
        """Take the orders that have come; wait for one where there is none."""
        while not self._orders or not self._inbox.empty():
            order, wanted = self._inbox.get()
            if wanted:
                self._orders.append(order)
            elif order in self._orders:
                self._orders.remove(order)
                if self._pool is not None and order.run is not None:
                    self._pool.end(order.run)

    def _turn(self) -> None:
        pool = self._pool = self._pool or self._opened()
        pool.in_hand = 1  # cancelling takes everything that a worker has
        for order in self._orders:
            if order.run is None:
                order.run = pool.begin([order.job], lambda job: job, _hearer(order))
        pool.turn(TICK_SECONDS)
        for order in list(self._orders):
            if order.run is not None and not order.run.open:
                self._orders.remove(order)
                pool.end(order.run)
                if order.run.failed is not None:
                    order.mail.put(order.run.failed)
                else:
                    order.end(order.run.taken())
        if all(place.closed for place in pool.places):  # whoever asks again gets new workers
            self._close()

    def _fail(self, error: Exception) -> None:
        """The pool cannot go on. What it had begun gets a new one, a few times; an order for which
        none could be made ends with the error."""
        begun, self._orders = self._orders, []
        self._close()
        for order in begun:
            order.tries = order.tries + 1 if order.run is not None else MOST_TRIES
            if order.tries < MOST_TRIES:
                order.run = None
                self._orders.append(order)
            elif isinstance(error, StudioError):
                order.mail.put(error)
            else:
                order.mail.put(StudioError(words_of(error), field=FIELD))

    def _close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


def _hearer(order: _Order) -> Callable[[int, Event], object]:
    return lambda _, event: order.hear(event)
