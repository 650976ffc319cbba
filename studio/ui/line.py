"""The order of a queue: who waits behind whom, for how long, and a place that is changed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from weakref import WeakSet

from studio.errors import StudioError
from studio.ui.session import Run, Session

LINES: WeakSet[Line] = WeakSet()


def close_lines(seconds: float = 20.0) -> None:
    """End what every line makes, before the program ends; each within these seconds."""
    for line in list(LINES):
        line.close(seconds)


class Line:
    """Runs that wait and runs that are going on.

    Args:
        room: how many may go on at once, now.
    """

    def __init__(self, room: Callable[[], int]) -> None:
        self.room = room
        self.changed = threading.Condition()
        self._waiting: deque[Run] = deque()
        self._running: list[Run] = []
        self._pace: float | None = None  # seconds of one forward, lately
        self._closed = False
        LINES.add(self)

    def close(self, seconds: float = 20.0) -> None:
        """Begin no more, and end what is going on before its next step: a thread that is torn off inside
        a network aborts the whole program. Finished pictures are written first.

        Args:
            seconds: how long to wait for that.
        """
        with self.changed:
            # What waits stays in line: its page says after a start anew how many there were.
            self._closed = True
            for run in self._running:
                run.cancelled = True
            self.changed.wait_for(lambda: not self._running, seconds)

    @property
    def pace(self) -> float | None:
        """Seconds of one pass of the last picture; ``None`` before the first."""
        return self._pace

    def ahead(self, run: Run) -> list[Run]:
        """The runs that come before a waiting one."""
        with self.changed:
            before = list(self._running)
            for other in self._waiting:
                if other is run:
                    return before
                before.append(other)
        return []

    def ahead_of_new(self) -> list[Run]:
        """The runs that would come before one that is asked for now; none where there is room."""
        with self.changed:
            before = [*self._running, *self._waiting]
            return before if len(before) >= self.room() else []

    def seconds_until(self, run: Run) -> float | None:
        """Roughly how long a waiting run waits; ``None`` where that cannot be said."""
        return self.seconds_of(self.ahead(run))

    def seconds_of(self, before: list[Run]) -> float | None:
        """Roughly how long these runs take; ``None`` where that cannot be said."""
        seconds = 0.0
        for other in before:
            left = other.seconds_left()
            if left is None:
                left = self._expected(other)
            if left is None:
                return None
            seconds += left
        return seconds / self.room()

    def seconds_left(self, run: Run) -> float | None:
        """Until the last image of a run that is going on, or of its series."""
        left = run.seconds_left()
        for other in run.session.active():
            if left is None or other is run or not run.beside(other):
                continue
            expected = self._expected(other)
            left = left + expected if expected is not None else None
        return left

    def _expected(self, run: Run) -> float | None:
        return self._pace * run.forwards if self._pace and run.forwards else None

    def rest(self, seconds: float) -> bool:
        """Wait until nothing runs or waits, at most so long; whether that is so."""
        with self.changed:
            return self.changed.wait_for(lambda: not (self._running or self._waiting), seconds)

    def groups(self, session: Session) -> list[list[Run]]:
        """A session's waiting runs in their order, those of one series together."""
        found: list[list[Run]] = []
        with self.changed:
            for run in self._waiting:
                if run.session is not session:
                    continue
                group = next((one for one in found if run.beside(one[0])), None)
                if group:
                    group.append(run)
                else:
                    found.append([run])
        return found

    def move(self, session: Session, number: int, by: int) -> None:
        """Let a waiting run, with its series, change places with another of its session's own:
        ``by`` places later, earlier where it is negative. Others' runs keep theirs.

        Raises:
            StudioError: no run of that number waits any more.
        """
        with self.changed:
            groups = self.groups(session)
            at = next((i for i, one in enumerate(groups) if one[0].number == number), None)
            if at is None:
                raise StudioError("this one does not wait any more", field="queue")
            groups.insert(max(0, at + by), groups.pop(at))
            own = iter([run for group in groups for run in group])
            order = [next(own) if run.session is session else run for run in self._waiting]
            self._waiting = deque(order)
            self._tell(*{run.session for run in order})

    def cancel_waiting(self, session: Session) -> None:
        """Take all that waits of a session out of the queue; what runs of a series goes on."""
        with self.changed:
            for run in [one for one in self._waiting if one.session is session]:
                self._stop(run)
            self._tell(session)

    def skip(self, session: Session, number: int) -> None:
        """Stop the run that goes on of the series whose waiting run has this number; the others stay.

        Raises:
            StudioError: no run of that number waits any more, or none of its series goes on.
        """
        with self.changed:
            own = (one for one in self._waiting if one.session is session and one.number == number)
            waits = next(own, None)
            running = self.running_of(waits) if waits is not None else None
            if running is None:
                raise StudioError("this one does not wait any more", field="queue")
            self._stop(running)
            self._tell(session)

    def running_of(self, waits: Run) -> Run | None:
        """The first run that goes on of a waiting one's series."""
        with self.changed:
            return next((one for one in self._running if one.beside(waits)), None)

    def _stop(self, run: Run) -> None:
        run.cancelled = True
        if run in self._waiting:
            self._waiting.remove(run)
            run.state, run.unbegun = "cancelled", not run.shown()

    def _waiting_of(self, session: Session, visitor: str) -> int:
        return sum(
            one.session is session or bool(visitor and one.visitor == visitor)
            for one in self._waiting
        )

    def _tell(self, *sessions: Session) -> None:
        for session in sessions:
            session.version += 1
        self.changed.notify_all()
