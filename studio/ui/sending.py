"""Generations that workers make, as a stream of events like the engine's own.

History, library and presets stay with the page; a job goes out, and what comes back is kept here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import replace

from studio import logs
from studio.events import Event, Progress
from studio.preset import Preset
from studio.train.turns import TURNS
from studio.ui.library.models import library
from studio.workers.choice import Choice, check_installed, open_pool
from studio.workers.desk import Desk
from studio.workers.job import Packer

WAITING = "waiting for a worker"


class Sender:
    """Sends generations to the workers of a choice; nobody is hired before the first.

    Raises:
        StudioError: what the workers need is not installed.
    """

    def __init__(self, choice: Choice, desk: Desk | None = None) -> None:
        check_installed(choice)
        self.choice = choice
        self.desk = desk or Desk(
            lambda: open_pool(choice, tell=_tell, apart=True), max(1, choice.count)
        )

    def room(self) -> int:
        """How many generations go on at once."""
        return self.desk.room()

    def __call__(self, preset: Preset, explain: bool = False) -> Iterator[Event]:
        """A worker's events (:func:`studio.ui.host.stream`); while it says nothing, what it said last
        is said again, so that whoever follows can cancel.

        Raises:
            StudioError: what is wrong with the preset, or with the workers.
        """
        packed = Packer(far=self.choice.ray, library=library())(preset)
        last: Event = Progress(0, preset.sampler.steps, 0.0, 0.0, 0, WAITING)
        yield last
        job = replace(packed, explain=explain, watched=True)
        # A training of this process shares the device with workers of this machine.
        turn = nullcontext() if self.choice.ray else TURNS.generation()
        with turn, closing(self.desk.events(job)) as events:
            for event in events:
                if isinstance(event, Progress):
                    last = event
                yield event if event is not None else last


def _tell(line: str) -> None:
    """What a person who runs the page should know: a worker that was lost."""
    print(line, file=sys.stderr, flush=True)
    logs.LOG.warning(line)
