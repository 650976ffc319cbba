"""Work that outlives the page that began it, one at a time, and is shown to whoever opens one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any
from weakref import WeakSet

import gradio as gr

from studio.errors import StudioError
from studio.ui.describe import progress_bar
from studio.ui.errors import on_page, plain_line, warn
from studio.ui.library import models
from studio.ui.library.cut_off import Note
from studio.ui.space import Limits

LOOK_SECONDS = 2.0  # after which a watcher says again what it said, so that one who left is noticed
GREETS_SECONDS = 600.0  # for which a page that is opened says how the last one ended
END_SECONDS = 30.0  # what is asked to stop ends at its next step
JOBS: WeakSet[Job] = WeakSet()

Steps = Generator[tuple[str, bool]]


def end_jobs(seconds: float = END_SECONDS) -> None:
    """Stop what is under way before the program ends; the next start says what that was.

    Args:
        seconds: how long to wait for all of it.
    """
    end = time.monotonic() + seconds
    under_way = [job for job in list(JOBS) if job.ask_to_stop(ending=True)]
    for job in under_way:
        job.wait(end - time.monotonic())


def shown(
    job: Job, library_parts: Sequence[Any], limits: Limits, begun: bool = False
) -> Iterator[tuple[Any, ...]]:
    """What an event shows of a job as it goes on: its bars, and the library drawn anew where a model has
    come.

    Args:
        begun: as of :meth:`Job.watch`.
    """
    untouched = [gr.skip()] * len(library_parts)
    yield gr.skip(), *untouched  # of an event that gives nothing Gradio empties the outputs
    for status, arrived in job.watch(begun):
        if arrived:
            yield status, models.as_signal(), models.table(limits.shared)
        else:
            yield status, *untouched


def begin(
    job: Job, given: Mapping[str, Any], library_parts: Sequence[Any], limits: Limits
) -> Iterator[tuple[Any, ...]]:
    """Begin what a form says, as :func:`shown`; where another is under way, that is said and shown."""
    begun = False
    try:
        job.start(given)
        begun = True
    except StudioError as error:  # the bar of the other one stays
        warn(error)
    yield from shown(job, library_parts, limits, begun)


class Job:
    """Does what a form says in a thread of its own; brings models into the library.

    Args:
        name: of its thread.
        steps: from the form's fields to status lines, each with whether the model is in the library
            now, which ends it; closing the generator stops it.
        begin: the first line.
        stopping, stopped: the lines while it is being stopped, and once it is.
        busy: why a second one is refused.
        called: the name of what a form's fields ask for.
        cut: of that name, the line after a start anew over such work.
    """

    def __init__(
        self,
        name: str,
        steps: Callable[[Mapping[str, Any]], Steps],
        begin: str,
        stopping: str,
        stopped: str,
        busy: str,
        called: Callable[[Mapping[str, Any]], str],
        cut: Callable[[str], str],
    ) -> None:
        JOBS.add(self)
        self._name, self._steps, self._busy, self._called = name, steps, busy, called
        self._begin, self._halting, self._halted = begin, stopping, stopped
        self._changed = threading.Condition()
        self._line = ""
        self._given: dict[str, Any] = {}
        self._arrived = False
        self._ended = -GREETS_SECONDS
        self._running = False
        self._stopping = False
        self._seen = True
        self._note = Note(name)
        self._ending = False
        self._cut = False
        left = self._note.left()
        if named := called(left):  # of a note that says nothing, nothing is said
            self._given, self._cut = left, True
            self._line = cut(named)

    @property
    def given(self) -> dict[str, Any]:
        """The fields of what is under way; empty where nothing is."""
        with self._changed:
            return dict(self._given) if self._running else {}

    def line(self) -> str:
        """Its bar while it is under way and for a while after; else ""."""
        with self._changed:
            return self._line if self._running or self._lately() else ""

    @property
    def cut(self) -> bool:
        """Whether the last one was cut off when an earlier start of the program ended, lately."""
        with self._changed:
            return self._cut and self._lately()

    def _lately(self) -> bool:
        if self._cut and self._ended < 0:  # a while that begins with the first page
            self._ended = time.monotonic()
        return time.monotonic() - self._ended < GREETS_SECONDS

    def start(self, given: Mapping[str, Any]) -> None:
        """Begin what the fields say; what is wrong with them its bar says.

        Raises:
            StudioError: another is under way already; names it.
        """
        with self._changed:
            if self._running:
                raise StudioError(self._busy, field=self._called(self._given))
            self._running, self._stopping, self._arrived = True, False, False
            self._cut = self._ending = False
            self._line, self._given = self._begin, dict(given)
            self._seen = False
        thread = threading.Thread(
            target=self._work, args=(dict(given),), name=self._name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # no room for one more
            with self._changed:
                self._running, self._line = False, ""
                self._changed.notify_all()
            raise

    def stop(self) -> bool:
        """End it, and wait until it has. Returns whether there was one."""
        return self.ask_to_stop() and self.wait(END_SECONDS)

    def ask_to_stop(self, ending: bool = False) -> bool:
        """End it at its next step. Returns whether there is one.

        Args:
            ending: the program ends, which whoever asked for it is told by the next start.
        """
        with self._changed:
            if self._running:
                self._ending = ending and not self._stopping  # else a person has stopped it
                self._stopping, self._line = True, self._halting
                self._changed.notify_all()
            return self._running

    def wait(self, seconds: float) -> bool:
        """Until it has ended, or so long. True."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, max(0.0, seconds))
        return True

    def watch(self, begun: bool = False) -> Iterator[tuple[str, bool]]:
        """Its bars, the last one with whether the model is in the library; also the last one of what has
        ended, where nobody has seen that. None where there is nothing.

        Args:
            begun: whether who watches has begun it, and sees its end whoever else has.
        """
        with self._changed:
            if not self._running and self._seen and not begun:
                return
        while True:
            with self._changed:
                line, ended = self._line, not self._running
                if ended:
                    self._seen = True
            yield line, ended and self._arrived
            if ended:
                return
            with self._changed:
                self._changed.wait_for(
                    lambda line=line: self._line != line or not self._running, LOOK_SECONDS
                )

    def _work(self, given: Mapping[str, Any]) -> None:
        line, arrived = self._halted, False
        try:
            self._note.write(given)  # by the thread that clears it: a lock is a thread's own
            with closing(self._steps(given)) as steps:
                for line, arrived in steps:
                    with self._changed:
                        if self._stopping and not arrived:
                            line = self._halted
                            break
                        self._line = line
                        self._changed.notify_all()
        except Exception as error:  # nothing that is under way stays without an end
            line, arrived = progress_bar(0, on_page(plain_line(error)), "failed"), False
        finally:
            try:
                if arrived:
                    models.rescan()
            finally:
                with self._changed:
                    if self._ending and not arrived:
                        self._note.leave()
                    else:
                        self._note.clear()
                    self._line, self._arrived, self._running = line, arrived, False
                    self._ended = time.monotonic()
                    self._changed.notify_all()
