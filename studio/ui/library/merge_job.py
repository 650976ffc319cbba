"""One merging at a time, which outlives the page that began it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.ui.describe import progress_bar
from studio.ui.library import models
from studio.ui.library.job import Job
from studio.ui.library.merged import FILLED, merged

STOPPED = progress_bar(0, "Stopped. Nothing is kept of it.", "idle")


class MergeJob(Job):
    """Merges what the fields of a merge say."""

    def __init__(self) -> None:
        super().__init__(
            "merging",
            lambda given: merged(given),
            begin=progress_bar(0, "Reading the models …"),
            stopping=progress_bar(0, "Stopping: what is being read or written is finished first"),
            stopped=STOPPED,
            busy="is made first; wait until it is there, or stop it",
            called=lambda given: str(given.get("name", "")),
            cut=cut_off,
        )

    def line_of(self, given: Mapping[str, Any]) -> str:
        """What is to be said of fields: the bar of what is made now, else for a while the last one where none
        of them is filled in, or that of the model that was made of these very fields; else ""."""
        with self._changed:
            blank = self._lately() and not any(given[one] for one in FILLED)
            same = given == self._given
            made = self._arrived and same and given["name"] in models.library()
            cut = self._cut and same and self._lately()
            return self._line if self._running or blank or made or cut else ""


def cut_off(name: str) -> str:
    """The line after a start anew over a merging."""
    text = f"The studio was started anew while {name} was being merged, and nothing of it is kept"
    return progress_bar(0, text, "failed")
