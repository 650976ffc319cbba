"""The search that runs behind the page: its pictures go through the page's own queue."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.home import studio_home
from studio.preset import Preset
from studio.preset.ranges import Range
from studio.ui.counts import counted
from studio.ui.describe import plan_of
from studio.ui.errors import one_line
from studio.ui.idle import idle
from studio.ui.library.models import library
from studio.ui.runs import Runs
from studio.ui.session import ENDING, Run, Session
from studio.ui.tradeoff.shown import keep
from studio.ui.tradeoff.state import SCORES, State
from studio.ui.tradeoff.subject import Subject

if TYPE_CHECKING:
    from studio.experiments.tune.points import Point
    from studio.experiments.tune.search import Search

SEEDS = (0, 1, 2, 3)
LEAST, MOST = 3 * len(SEEDS), 400


class Stopped(Exception):
    """The person has stopped the search."""


class Tuner:
    """One search at a time; what it made stays below ``STUDIO_HOME/tune`` and is gone on with."""

    def __init__(self, runs: Runs) -> None:
        self.runs, self.state = runs, State()
        self.changed = threading.Condition()
        self._session = Session("tune", [])
        self._run: Run | None = None
        self._stop = threading.Event()
        self.owner = ""  # the key of the session whose press began it
        self._starting = threading.Lock()  # two tabs may press at once, and a look takes a while

    def start(
        self, preset: Preset, subject: Subject, budget: int, weight: bool, owner: str = ""
    ) -> None:
        """Begin to search, or go on with a search of the same.

        Args:
            weight: whether the row's weight may change besides ω.
            owner: the key of the session that asks.

        Raises:
            StudioError: a search runs already, or something that it needs is missing; what was
                found before stays as it is.
        """
        with self._starting:
            self._start(preset, subject, budget, weight)
            self.owner = owner

    def _start(self, preset: Preset, subject: Subject, budget: int, weight: bool) -> None:
        if self.running():
            raise StudioError("a search runs already; stop it first", field="search")
        if not subject.pictures:
            raise StudioError(
                f"needs pictures of what {subject.model} was trained on; choose some",
                field="subject",
            )
        if not weight and (why := idle(preset).get("omega")):
            raise StudioError(why, field="omega")  # all its pictures would be the same
        if not LEAST <= budget <= MOST:
            raise StudioError(f"from {LEAST} to {MOST}, got {budget}", field="pictures")
        from studio.experiments.asked import text_of
        from studio.experiments.tune import points

        search, note = searched(preset, subject, budget, weight)
        known = points.read_points(search)
        search = replace(search, budget=_pictures(known) + whole(budget))
        self._stop.clear()
        self._tell(
            state="running",
            text="Loading the scores' networks …",
            subject=subject,
            prompt=text_of(preset),
            points=known,
            best=points.front(search, known),
            note=note,
            begun=0,
            made=0,
            total=whole(budget),
            asked=budget,
            weight=weight,
        )
        try:
            threading.Thread(target=self._work, args=(search, known), daemon=True).start()
        except RuntimeError as error:  # the system gives no further thread
            self._tell(state="failed", text=str(error))
            raise StudioError("cannot be begun now; try again", field="search") from error

    def told(self, key: str) -> None:
        """What makes this search the same one as another, by the page that asked for it."""
        self._tell(key=key)

    def running(self) -> bool:
        """Whether a search goes on; its thread may outlive it by a moment."""
        return self.state.state == "running"

    def stop(self) -> None:
        """Stop before the next picture; what is finished stays."""
        self._stop.set()
        with self.changed:  # its end may come in this moment
            if self.running():
                self._tell(text=ENDING)
        self.runs.cancel(self._run)

    def wait(self, seen: int, seconds: float) -> int:
        """Wait until the state has changed since version ``seen``; its version now."""
        with self.changed:
            self.changed.wait_for(lambda: self.state.version != seen, seconds)
            return self.state.version

    def _tell(self, **changes: Any) -> None:
        with self.changed:
            for name, value in changes.items():
                setattr(self.state, name, value)
            self.state.version += 1
            self.changed.notify_all()

    # -- the search's own thread ----------------------------------------------------------------
    def _work(self, search: Search, known: list[Point]) -> None:
        try:
            self._search(search, known)
            self._tell(state="done", text=self._said())
        except Stopped:
            self._tell(state="stopped", text=f"Stopped. {self._said()}")
        except Exception as error:  # the page outlives any search
            self._tell(state="failed", text=one_line(error))
        self._tell_later()

    def _tell_later(self) -> None:
        """Keep what is found, for a studio that is started anew."""
        keep(replace(self.state, text=self._said()))

    def _search(self, search: Search, known: list[Point]) -> None:
        from studio.experiments.making import one_by_one
        from studio.experiments.tune import points, report, run

        before = _pictures(known)
        for event in run.run(search, one_by_one(self._make)):
            if isinstance(event, run.Picture):
                made = event.spent - before
                text = f"Picture {made} of {self.state.total}: {in_words(event.values)}"
                self._tell(text=text, begun=event.number, made=made)
            else:
                known = [*known, event]
                self._tell(points=known, best=points.front(search, known), begun=0)
                self._tell_later()
        report.write(search, known)

    def _said(self) -> str:
        begun = self.state.begun
        pictures = _pictures(self.state.points) + begun
        stopped = sum(point.stopped for point in self.state.points)
        beaten = "given up early: another is better in both scores."
        early = f" {counted(stopped, 'setting')} {'was' if stopped == 1 else 'were'} {beaten}"
        settings = counted(len(self.state.points), "setting")
        unmeasured = "of a setting that is not finished; the next search goes on with it."
        more = f" {begun} of them {'is' if begun == 1 else 'are'} {unmeasured}" if begun else ""
        return f"{settings}, {counted(pictures, 'picture')}.{more}{early if stopped else ''}"

    def _make(self, preset: Preset, path: Path) -> None:
        """One picture through the page's queue, so that a person's own come in between."""
        if self._stop.is_set():
            raise Stopped
        forwards = plan_of(preset).forwards_expected
        self._run = run = self.runs.submit(self._session, preset, forwards, folder=path.parent)
        with self.runs.changed:
            self.runs.changed.wait_for(lambda: not run.active())
        if run.state == "failed":
            raise StudioError(run.error, field="search")
        if not run.moments:
            raise Stopped
        os.replace(run.moments[0].path, path)
        self._session.moments.clear()


def whole(budget: int) -> int:
    """How many of the pictures asked for are made at most: those of whole settings."""
    return budget - budget % len(SEEDS)


def in_words(values: Mapping[str, Any]) -> str:
    """A setting in the page's words, as static/tradeoff/geometry.js has them: ``ω 0.4 · row 1 × 3``."""
    from studio.experiments.tune.points import setting, short

    parts = [
        f"{short(name).removesuffix(' weight')} × {value:g}"
        if name.startswith("rows.") and name.endswith(".weight")
        else setting({name: value})
        for name, value in values.items()
    ]
    return " · ".join(parts)


def _pictures(points: Sequence[Point]) -> int:
    return sum(len(point.paths) for point in points)


def searched(preset: Preset, subject: Subject, budget: int, weight: bool) -> tuple[Search, str]:
    """The search of a page's form, and what to know of it.

    Raises:
        StudioError: what :func:`studio.experiments.tune.search.check` raises, the networks of the
            scores are not there, or the preset has no prompt.
    """
    from studio.experiments.asked import text_of
    from studio.experiments.tune.points import key_of
    from studio.experiments.tune.propose import has_optuna
    from studio.experiments.tune.search import Search, check
    from studio.metrics import Scored
    from studio.metrics.backbones import Backbones
    from studio.metrics.present import clip_for

    if not text_of(preset):
        raise StudioError("no row holds a prompt, so nothing says what to follow", field="rows")
    ranges = [Range("omega", 0.0, 1.0)]
    fixed: dict[str, Any] = {"omega": 0.0, "name": "", "description": ""}
    if weight:
        name = f"rows.{subject.row}.weight"
        top = max(9.0, 2.0 * preset.rows[subject.row].weight)
        ranges.append(Range(name, 1.0, top))
        rows = list(preset.rows)
        rows[subject.row] = rows[subject.row].model_copy(update={"weight": 1.0})
        fixed["rows"] = tuple(rows)
    entry = library().get(preset.base)
    clip = clip_for(preset.base, entry.base if entry else "")
    # One picture of each seed is made, however many the form asks for.
    fixed["sampler"] = preset.sampler.model_copy(update={"seed": 0, "count": 1})
    plain = preset.model_copy(update=fixed)
    scored = Scored([], references=list(subject.pictures), backbones=Backbones(clip))
    guided = has_optuna()
    search = Search(plain, tuple(ranges), SCORES, budget, Path(), scored, (), SEEDS, guided)
    check(search)
    out = studio_home() / "tune" / key_of(search.settings())
    note = "" if guided else "Settings are evenly spread; with Optuna installed they are chosen."
    return replace(search, out=out), note
