"""The sweep that runs behind the page: its pictures go through the page's own queue."""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.errors import StudioError
from studio.events import image_line
from studio.experiments import sweeping
from studio.experiments.making import one_by_one
from studio.files import write_atomically
from studio.home import studio_home
from studio.preset import Preset
from studio.preset.sweep import Axis
from studio.share.write import encode
from studio.ui.counts import counted
from studio.ui.describe import plan_of, seconds
from studio.ui.errors import one_line
from studio.ui.runs import MOST_SESSIONS, Runs
from studio.ui.session import ENDING, Run, Session
from studio.ui.space import save_folder
from studio.ui.sweep.asked import check_cell, three
from studio.ui.sweep.grid_words import in_page_words

Made = tuple[sweeping.Shot, sweeping.Line]
PATIENCE = 1.0  # seconds between two looks at whether the queue has room


class Stopped(Exception):
    """The person has stopped the sweep."""


class Abandoned(Exception):
    """Nobody has looked at the sweep for a while, on a page that visitors share."""


@dataclass
class State:
    """Where a sweep stands. ``state``: idle, running, done, stopped or failed."""

    state: str = "idle"
    text: str = ""
    sweep: sweeping.Sweep | None = None
    shots: list[sweeping.Shot] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    grids: list[str] = field(default_factory=list)
    version: int = 0


class Sweeper:
    """The sweep of one page, one at a time; its files stay, and whoever asks for the same goes on.

    Args:
        key: the session's; on a shared page its files are in the visitor's own folder.
    """

    def __init__(self, runs: Runs, key: str) -> None:
        self.runs, self.state = runs, State()
        self.folder = folder_of(runs, key)
        self.session = Session(f"sweep-{key}", [])
        self.visitor = self.stem = ""
        self.changed = threading.Condition()
        self._run: Run | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._spent, self._new = (
            0.0,
            0,
        )  # seconds of the pictures that were made now, and their number

    def running(self) -> bool:
        """Whether it makes pictures; one that has said its end does not, though its thread may stand."""
        busy = self._thread is not None and self._thread.is_alive()
        return busy and self.state.state == "running"

    def forget(self, stem: str) -> None:
        """Show no more of that sweep, whose files are gone."""
        asked = self.state.sweep
        if asked and asked.stem == stem and not self.running():
            self.state = State(version=self.state.version + 1)

    def start(self, preset: Preset, axes: Sequence[Axis], visitor: str = "") -> None:
        """Begin a sweep, or go on with the same one.

        Args:
            visitor: whose it is where visitors share the machine.

        Raises:
            StudioError: one runs already.
        """
        if self.running():
            raise StudioError("one runs already; stop it first", field="sweep")
        self._stop.clear()
        self._spent, self._new, self.visitor = 0.0, 0, visitor
        self.stem = sweeping.stem_of(preset, three(axes), [], self.folder)
        version = self.state.version + 1
        self.state = State("running", "Looking at every setting …", version=version)
        self.session.looked = time.monotonic()  # not when the page was opened
        context = contextvars.copy_context()
        work = (self._work, preset, tuple(axes))
        self._thread = threading.Thread(target=context.run, args=work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop at once; what is finished stays."""
        self._stop.set()
        with self.changed:  # its end may come in this moment
            if self.running():
                self._tell(text=ENDING)
        self.runs.cancel(self._run)

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until the state has changed since version ``seen``; its version now."""
        with self.changed:
            self.changed.wait_for(lambda: self.state.version != seen, seconds)
            self.session.looked = time.monotonic()
            return self.state.version

    def _tell(self, **changes: Any) -> None:
        with self.changed:
            for name, value in changes.items():
                setattr(self.state, name, value)
            self.state.version += 1
            self.changed.notify_all()

    # -- the sweep's own thread -----------------------------------------------------------------
    def _work(self, preset: Preset, axes: tuple[Axis, ...]) -> None:
        try:
            self._sweep(preset, axes)
            self._end("done", f"{counted(len(self.state.made), 'picture')}.")
        except Stopped:
            done, total = len(self.state.made), len(self.state.shots)
            self._end("stopped", f"Stopped: {done} of {total} pictures are made.")
        except Abandoned:
            done, total = len(self.state.made), len(self.state.shots)
            why = "Stopped, as no page looked at it"
            self._end("stopped", f"{why}: {done} of {total} pictures are made.")
        except Exception as error:  # the page outlives any sweep
            self._end("failed", one_line(error))

    def _end(self, state: str, text: str) -> None:
        try:
            self._keep()
        except Exception as error:  # a full disk, say
            state, text = "failed", one_line(error)
        self._tell(state=state, text=text)

    def _sweep(self, preset: Preset, axes: tuple[Axis, ...]) -> None:
        asked = sweeping.begin(preset, three(axes), [], self.folder)
        shots = asked.shots()
        self._tell(sweep=asked, shots=shots)
        for shot in shots:
            if self._stop.is_set():
                raise Stopped
            check_cell(shot.preset, self.runs.limits)
        self.folder.mkdir(parents=True, exist_ok=True)
        for made in sweeping.run(asked, self.folder, one_by_one(self._make)):
            self._tell(made=[*self.state.made, made], text=self._said())

    def _said(self) -> str:
        done, total = len(self.state.made) + 1, len(self.state.shots)
        if not self._new:
            return f"{done} of {total}"
        left = self._spent / self._new * (total - done)
        return f"{done} of {total} · about {seconds(left)} left"

    def _keep(self) -> None:
        """Leave the grid, the table and the JSON of what is made, as the verb does at its end."""
        asked, made = self.state.sweep, self.state.made
        if asked is None or not made:
            return
        shots = [shot for shot, _ in made]
        grids = sweeping.grids(asked, shots, self.folder, in_page_words)
        for name, image in grids:
            write_atomically(self.folder / name, encode(image, asked.preset, ".png"))
        names = [name for name, _ in grids]
        lines = {shot.name: line for shot, line in made}  # those from before have come first
        ordered = [lines[shot.name] for shot in self.state.shots if shot.name in lines]
        sweeping.finish(asked, ordered, [], names, self.folder)
        self._tell(grids=names)

    def _make(self, preset: Preset, path: Path) -> Mapping[str, Any]:
        """One picture through the page's queue, so that a person's own come in between."""
        if self._stop.is_set():
            raise Stopped
        began = time.monotonic()
        run = self._run = self._submitted(preset, path.parent)
        if self._stop.is_set():  # pressed while this one was asked for
            self.runs.cancel(run)
        with self.runs.changed:
            self.runs.changed.wait_for(lambda: not run.active())
        self.session.moments.clear()
        if run.state == "failed" or run.problem:
            raise StudioError(run.error or run.problem, field="sweep")
        if not run.moments or run.done is None:
            raise Stopped if self._stop.is_set() else Abandoned
        os.replace(run.moments[0].path, path)
        self._spent, self._new = self._spent + time.monotonic() - began, self._new + 1
        notes = {"notes": list(run.done.notes)} if run.done.notes else {}
        return {**image_line(run.done, path), **notes}

    def _submitted(self, preset: Preset, folder: Path) -> Run:
        forwards = plan_of(preset).forwards_expected
        while not self._stop.is_set():
            if self.runs.room_of(self.session, self.visitor):
                return self.runs.submit(
                    self.session, preset, forwards, visitor=self.visitor, folder=folder
                )
            self._stop.wait(PATIENCE)
        raise Stopped


class Sweeps:
    """The sweeps of all pages, by the key of the session."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self._lock = threading.Lock()
        self._known: dict[str, Sweeper] = {}

    def of(self, key: str) -> Sweeper:
        """The session's sweep, made when it is new; idle ones go where there are too many."""
        with self._lock:
            if key not in self._known:
                idle = [name for name, one in self._known.items() if not one.running()]
                for name in idle[: max(0, len(self._known) + 1 - MOST_SESSIONS)]:
                    del self._known[name]
                self._known[key] = Sweeper(self.runs, key)
            return self._known[key]

    def start(self, key: str, preset: Preset, axes: Sequence[Axis], visitor: str = "") -> None:
        """Begin the session's sweep, or go on with it.

        Raises:
            StudioError: it runs already, here or on another page.
        """
        own = self.of(key)
        stem = sweeping.stem_of(preset, three(axes), [], own.folder)
        if any(one is not own for one in self.running(own.folder, stem)):
            raise StudioError("the same one runs on another page", field="sweep")
        own.start(preset, axes, visitor)

    def running(self, folder: Path, stem: str) -> list[Sweeper]:
        """Those that make the pictures of this sweep now."""
        with self._lock:
            busy = [one for one in self._known.values() if one.running()]
        return [one for one in busy if one.folder == folder and one.stem == stem]


def folder_of(runs: Runs, key: str) -> Path:
    """Where a page's sweeps are: the person's own, or the visitor's."""
    if not runs.limits.shared:
        return studio_home() / "sweeps"
    return save_folder(runs.limits, key) / "sweeps"
