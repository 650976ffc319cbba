"""One merging at a time, which outlives the page that began it and is shown to whoever opens one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any
from weakref import WeakSet

from studio.errors import StudioError
from studio.ui.describe import progress_bar
from studio.ui.library import models
from studio.ui.library.merged import FILLED, merged

THREAD = "merging"
STOPPING = progress_bar(0, "Stopping: what is being read or written is finished first")
STOPPED = progress_bar(0, "Stopped. Nothing is kept of it.", "idle")
LOOK_SECONDS = 2.0  # after which a watcher says again what it said, so that one who left is noticed
GREETS_SECONDS = 600.0  # for which a page that is opened says how the last one ended
END_SECONDS = 30.0  # what is asked to stop ends at its next tensor
JOBS: WeakSet[MergeJob] = WeakSet()


def end_merging() -> None:
    """Stop what is merged before the program ends: nothing is left of it."""
    for job in list(JOBS):
        job.stop()


class MergeJob:
    """Merges in a thread of its own."""

    def __init__(self) -> None:
        JOBS.add(self)
        self._changed = threading.Condition()
        self._line = ""
        self._given: dict[str, Any] = {}
        self._arrived = False
        self._ended = 0.0
        self._running = False
        self._stopping = False
        self._seen = True

    @property
    def given(self) -> dict[str, Any]:
        """The fields of what is made now; empty where nothing is."""
        with self._changed:
            return dict(self._given) if self._running else {}

    def line_of(self, given: Mapping[str, Any]) -> str:
        """What is to be said of fields: the bar of what is made now, else for a while the last one where none
        of them is filled in, or that of the model that was made of these very fields; else ""."""
        with self._changed:
            lately = time.monotonic() - self._ended < GREETS_SECONDS
            blank = lately and not any(given[one] for one in FILLED)
            made = self._arrived and given == self._given and given["name"] in models.library()
            return self._line if self._running or blank or made else ""

    def start(self, given: Mapping[str, Any]) -> None:
        """Begin what the fields say; what is wrong with them its bar says.

        Raises:
            StudioError: another is made already; names it.
        """
        with self._changed:
            if self._running:
                raise StudioError(
                    "is made first; wait until it is there, or stop it",
                    field=str(self._given["name"]),
                )
            self._running, self._stopping, self._arrived = True, False, False
            self._line, self._given = progress_bar(0, "Reading the models …"), dict(given)
            self._seen = False
        thread = threading.Thread(target=self._work, args=(dict(given),), name=THREAD, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no room for one more
            with self._changed:
                self._running = False
            raise

    def stop(self) -> None:
        """End it, and wait until nothing is left of it."""
        with self._changed:
            if not self._running:
                return
            self._stopping, self._line = True, STOPPING
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._running, END_SECONDS)

    def watch(self) -> Iterator[tuple[str, bool]]:
        """Its bars, the last one with whether the model is in the library; also the last one of what has
        ended, where nobody has seen that. None where there is nothing."""
        with self._changed:
            if not self._running and self._seen:
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
        line, arrived = STOPPED, False
        try:
            with closing(merged(given)) as steps:
                for line, arrived in steps:
                    with self._changed:
                        if self._stopping and not arrived:
                            line = STOPPED
                            break
                        self._line = line
                        self._changed.notify_all()
        finally:
            try:
                if arrived:
                    models.rescan()
            finally:
                with self._changed:
                    self._line, self._arrived, self._running = line, arrived, False
                    self._ended = time.monotonic()
                    self._changed.notify_all()
