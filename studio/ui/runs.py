"""One queue of runs for the whole process. A run belongs to a session, not to a tab.

Runs begin in the order in which they were asked for, one at a time or as many as the stream has room
for. Pages look at their session and leave again; a run goes on meanwhile. Where visitors share the
machine, a run that nobody has looked at for a while is dropped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.events import Done, Event, FirstPass, Preview, Progress
from studio.history import History
from studio.history import history as own_history
from studio.history.database import waiting_at_most
from studio.preset import Preset
from studio.ui.errors import plain_line
from studio.ui.hashing import Hashing
from studio.ui.history.moments import Moment, found, newest
from studio.ui.history.unopened import Unopened
from studio.ui.keeping import saved
from studio.ui.line import Line
from studio.ui.session import Run, Series, Session
from studio.ui.space import Limits, expire, save_folder

Stream = Callable[..., Iterator[Event]]  # of a preset, with explain=True where that is asked for
MOST_SESSIONS = 500
TIDY_SECONDS = 300.0
STRIP_SECONDS = 1.0  # for a database that another program holds


class Runs(Line):
    """The queue.

    Args:
        stream: the engine's generator of events; closing it cancels.
        limits: where a session's images go, and how long an unwatched run is kept.
        room: how many runs the stream takes at once, now.
    """

    def __init__(self, stream: Stream, limits: Limits, room: Callable[[], int] = lambda: 1) -> None:
        super().__init__(room)
        self.stream, self.limits = stream, limits
        self._sessions: dict[str, Session] = {}
        self.hashing = Hashing(self)
        self._threads = 0  # that do runs
        self._tidied = 0.0

    def session(self, key: str) -> Session:
        """The session of that key, made when it is new."""
        with self.changed:
            if key not in self._sessions:
                self._forget()
                self._sessions[key] = Session(key, [])
            found = self._sessions[key]
            found.looked = time.monotonic()
            return found

    def history(self, session: Session) -> History:
        """The person's history; on a shared page the visitor's own, which goes with the session.

        Raises:
            StudioError: another program holds it.
        """
        if not self.limits.shared:
            return own_history()
        return self._own(session).opened()

    def newest(self, session: Session) -> list[Moment]:
        """What the strip of a session shows, newest first."""
        return self._looked(session)[1]

    def shown(self, session: Session, ids: Iterable[str]) -> list[Moment]:
        """The pictures with these ids that are there, of a strip that may be older than the newest."""
        own, strip = self._looked(session)
        return found([*session.moments, *strip], own, ids)

    def _looked(self, session: Session) -> tuple[History | None, list[Moment]]:
        """The history of a session, where it opens now, and what its strip shows, newest first."""
        own, shared = None, self.limits.shared
        # The History tab says what is wrong with it; an update of the strip does not wait for that.
        with suppress(StudioError), waiting_at_most(STRIP_SECONDS):
            own = self._open_history(session)
            return own, newest(session.moments, own, shared)
        return own, newest(session.moments, None, shared)

    def _open_history(self, session: Session) -> History | None:
        if not self.limits.shared:
            return own_history()
        return session.history.looked_into() if session.history else None

    def own(self, session: Session) -> History | Unopened:
        """Where what a session makes is written down; no visitor's database is made for it.

        Raises:
            StudioError: another program holds it.
        """
        return self._own(session) if self.limits.shared else own_history()

    def _own(self, session: Session) -> Unopened:
        with self.changed:
            if session.history is None:
                session.history = Unopened(save_folder(self.limits, session.key))
            return session.history

    def _forget(self) -> None:
        """Keep the table of sessions small: those looked at longest ago go first."""
        idle = sorted((s.looked, key) for key, s in self._sessions.items() if not s.active())
        for _, key in idle[: max(0, len(self._sessions) + 1 - MOST_SESSIONS)]:
            del self._sessions[key]

    def submit(
        self,
        session: Session,
        preset: Preset,
        forwards: int = 0,
        visitor: str = "",
        folder: Path | None = None,
        series: Series | None = None,
        label: str = "",
        explain: bool = False,
        forever: bool = False,
        parent: str | None = None,
    ) -> Run:
        """Ask for a run; it starts when those before it have ended.

        Args:
            folder: where its images go, as no part of the history; the session's own without it.
            series: runs that are shown and cancelled together with it; ``label``: its own name there.
            explain: keep what its rows pull towards.
            forever: when it is done the next one is asked for, with the next seeds.
            parent: the picture of the history that it is made of, "" for one that is not there.

        Raises:
            StudioError: this session, or this visitor, has as many in the queue as one may have.
        """
        own_folder = folder or save_folder(self.limits, session.key)
        run = Run(
            preset, session, own_folder, forwards, series=series, label=label, visitor=visitor
        )
        run.apart, run.explain, run.forever = folder is not None, explain, forever
        run.parent = parent
        run.place = series.ask() if series else 0
        with self.changed:
            own = self._waiting_of(session, visitor)
            if run.series and not self.limits.shared:  # a series waits as one
                own = len([group for group in self.groups(session) if not run.beside(group[0])])
            if own >= self.limits.waiting:
                if self._waiting_of(session, "") < own and not run.series:
                    raise StudioError(
                        f"{own} runs from your address are waiting already, as many as may; "
                        "let one of them come first"
                    )
                raise StudioError(
                    f"{own} of your runs are waiting already, as many as may; "
                    "let one of them come first"
                )
            self._add(run)
        return run

    def _add(self, run: Run) -> None:
        run.session.runs = run.session.taking(run)
        self._waiting.append(run)
        self._staff()
        self._tell(run.session)

    def room_of(self, session: Session, visitor: str = "") -> int:
        """How many more this session, and this visitor, may have in the queue."""
        with self.changed:
            return max(0, self.limits.waiting - self._waiting_of(session, visitor))

    def cancel(self, run: Run | None) -> None:
        """Stop a run before its next step, and its series; one that waits is simply not begun."""
        if run is None or not run.active():
            return
        with self.changed:
            for one in run.session.active():
                if one is run or (run.series is not None and one.series is run.series):
                    self._stop(one)
            self._tell(run.session)

    def end_with(self, run: Run) -> None:
        """Let no other follow a run that goes on for ever."""
        with self.changed:
            run.forever = False
            self._tell(run.session)

    def wait(self, session: Session, seen: int, seconds: float) -> int:
        """Wait until the session has changed since version ``seen``; its version now."""
        with self.changed:
            self.changed.wait_for(lambda: session.version != seen, seconds)
            session.looked = time.monotonic()
            return session.version

    # -- the threads that do runs -------------------------------------------------------------
    def _staff(self) -> None:
        """As many threads as there is room and work for."""
        wanted = min(self.room(), len(self._running) + len(self._waiting))
        for _ in range(0 if self._closed else wanted - self._threads):
            threading.Thread(target=self._work, name="runs", daemon=True).start()
            self._threads += 1

    def _work(self) -> None:
        while True:
            with self.changed:
                if self._closed or not self._waiting or self._threads > self.room():
                    self._threads -= 1
                    return
                run = self._waiting.popleft()
                self._running.append(run)
                run.state = "running"
                self._tell(*{r.session for r in (run, *self._waiting)})
            state, error = "done", ""
            try:
                run.context.run(self._execute, run)
                state = "cancelled" if run.cancelled else "done"
            except Exception as problem:  # one bad run must not end the queue
                state, error = "failed", plain_line(problem)
            with self.changed:
                self._running.remove(run)
                if self._closed and run.cancelled:  # its page hears of the end, and of no Cancel
                    self.changed.notify_all()
                    return
                run.state, run.error = state, error
                if error and run.series:
                    run.series.fail(run.label, error)
                if run.forever and state == "done" and not run.problem:
                    self._add(run.next())
                self._tell(*{r.session for r in (run, *self._waiting)})
            self._make_room()

    def _make_room(self) -> None:
        """On a shared page, let old pictures go; at most every few minutes."""
        now = time.monotonic()
        if self.limits.shared and now - self._tidied > TIDY_SECONDS:
            self._tidied = now
            expire(time.time())

    def _execute(self, run: Run) -> None:
        asked = {"explain": True} if run.explain else {}
        events: Any = self.stream(run.preset, **asked)
        try:
            for event in events:
                if isinstance(event, FirstPass):
                    run.first = event.done
                run.unwatched = not run.cancelled and self._abandoned(run)
                run.cancelled = run.cancelled or run.unwatched
                if not run.cancelled or isinstance(event, Done):  # what has come is kept
                    self._take(run, event)
                if run.cancelled:
                    self._keep_first(run)
                    break
        finally:
            close = getattr(events, "close", None)
            if close:
                close()

    def _keep_first(self, run: Run) -> None:
        """Of two passes the first's picture is a result, where the second is cancelled; a sweep has no
        place for it, and an explanation is of another."""
        if run.first is None or run.apart or run.explain:
            return
        forming = run.previews
        run.first_kept = True
        self._take(run, run.first)
        run.previews = forming  # can be kept too

    def _abandoned(self, run: Run) -> bool:
        patience = self.limits.patience
        return patience is not None and time.monotonic() - run.session.looked > patience

    def _take(self, run: Run, event: Event) -> None:
        made = self._saved(run, event) if isinstance(event, Done) else None
        with self.changed:
            self._staff()  # the stream may have found more room meanwhile
            if isinstance(event, Progress):
                run.progress = event
                if not run.began and event.stage == "denoising":
                    run.began = time.monotonic()
            elif isinstance(event, Preview):
                run.previews = tuple(event.images)
            if made is not None and isinstance(event, Done):
                run.done, run.first, run.previews = event, None, run.previews[1:]
                run.moments.append(made)
                run.taken().add(event)
                if run.series:
                    run.series.keep(run.place, made)
                run.session.moments = [made, *run.session.moments]
                if event.forwards:
                    self._pace = event.seconds / event.forwards
            self._tell(run.session)

    def _saved(self, run: Run, done: Done) -> Moment:
        return saved(run, done, lambda: self.own(run.session), self.hashing)
