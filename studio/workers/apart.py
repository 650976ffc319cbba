"""A crew of Ray's actors behind a process of its own.

Ray ends a process whose cluster has been gone for a minute. A command ends with it and goes on later;
a page must not.
"""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from typing import Any

from studio.errors import StudioError
from studio.workers.crew import Crew, Lost, Report, Setup
from studio.workers.hands import words_of
from studio.workers.job import Job
from studio.workers.pool import FIELD, Pool
from studio.workers.processes import JOIN_SECONDS, not_interrupted

TURN_SECONDS = 0.05  # between two looks for an order
GONE = "the connection to the Ray cluster has ended"


def apart_pool(address: str, setup: Setup, tell: Callable[[str], object]) -> Pool:
    """As :func:`studio.workers.rays.ray_pool`, with the connection in another process.

    Raises:
        StudioError: Ray is not installed, or the cluster cannot be reached.
    """
    crew = Apart(address, setup)
    return Pool(crew, crew.places, tell)


class Apart:
    """A crew (:class:`studio.workers.crew.Crew`) that another process has.

    Args:
        address: of the cluster, as :func:`studio.workers.rays.ray_crew` takes it.
        make: what makes the crew there, and says how many places it has.
    """

    where = "the cluster"

    def __init__(
        self,
        address: str,
        setup: Setup,
        make: Callable[[str, Setup], tuple[Crew, int]] | None = None,
    ) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        process: Any = context.Process(
            target=_serve, args=(theirs, address, setup, make), name="cluster", daemon=True
        )
        self._process = process
        with not_interrupted():
            process.start()
        theirs.close()
        said = self._heard()
        if isinstance(said, StudioError):
            self.stop()
            raise StudioError(said.message, field=said.field)
        self.places: int = said

    def hire(self, worker: int) -> None:
        """Ask for an actor."""
        self._post("hire", worker)

    def give(self, worker: int, number: int, job: Job) -> None:
        """Hand over a job."""
        self._post("give", worker, number, job)

    def cancel(self, worker: int) -> None:
        """Cancel what the worker has been given so far."""
        self._post("cancel", worker)

    def dismiss(self, worker: int) -> None:
        """End an actor at once."""
        self._post("dismiss", worker)

    def wait(self, seconds: float) -> list[Report]:
        """What the actors have said.

        Raises:
            StudioError: the process that knows them is no more.
        """
        found: list[Report] = []
        while self._pipe.poll(0 if found else seconds):
            found += self._heard()
        return found

    def stop(self) -> None:
        """End all: the process ends its actors, and is ended where it does not."""
        with suppress(OSError):
            self._pipe.close()
        for step in (lambda: None, self._process.kill):
            with suppress(OSError, ValueError):
                step()
                self._process.join(JOIN_SECONDS)

    def _post(self, *order: Any) -> None:
        with suppress(OSError):  # that it is no more is said by waiting
            self._pipe.send(order)

    def _heard(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError) as error:
            raise StudioError(GONE, field=FIELD) from error


# -- in the process ---------------------------------------------------------------------------------
def _serve(
    pipe: Any, address: str, setup: Setup, make: Callable[[str, Setup], tuple[Crew, int]] | None
) -> None:
    """Make the crew and do what the pipe says, until that is closed."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    if make is None:
        from studio.workers.rays import ray_crew

        make = ray_crew
    try:
        crew, places = make(address, setup)
        pipe.send(places)
    except StudioError as error:
        pipe.send(StudioError(error.message, field=error.field))
        return
    try:
        while True:
            _pass_on(pipe, crew)
    except (EOFError, OSError):
        pass
    finally:
        with suppress(Exception):
            crew.stop()
        os._exit(0)


def _pass_on(pipe: Any, crew: Crew) -> None:
    """Orders one way, reports the other."""
    found: list[Report] = []
    while pipe.poll(0):
        name, worker, *others = pipe.recv()
        try:
            getattr(crew, name)(worker, *others)
        except Exception as error:  # an actor that has just gone
            found.append(Lost(worker, words_of(error)))
    found += crew.wait(TURN_SECONDS)
    if found:
        pipe.send(found)
