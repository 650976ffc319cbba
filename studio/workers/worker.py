"""A worker: one engine, and the jobs that it is given, wherever it runs."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from studio.errors import StudioError
from studio.events import Done, Event
from studio.extensions import plugins
from studio.library import Library
from studio.workers.crew import Answer, Cancelled, Lacking, Made, Mistake, Setup
from studio.workers.job import Job
from studio.workers.models import lacking

if TYPE_CHECKING:
    from studio.engine import Engine


class Worker:
    """An engine with what belongs to it.

    Raises:
        StudioError: the device is not there.
    """

    def __init__(self, setup: Setup) -> None:
        plugins()  # one that fails was named where the command was given
        self.setup = setup
        self._folder: Path | None = None  # of pictures that came with jobs
        self.engine = self._engine()

    @property
    def device(self) -> str:
        """The kind of the engine's device."""
        return self.engine.device.type

    def _engine(self) -> Engine:
        import torch
        from diffusers.utils import logging as diffusers_logging
        from transformers.utils import logging as transformers_logging

        from studio.engine import Engine
        from studio.engine.networks import devices

        for library in (diffusers_logging, transformers_logging):
            library.disable_progress_bar()
        torch.set_num_threads(self.setup.threads)
        budget = devices.budget(devices.choose(self.setup.device)) // self.setup.sharing
        return Engine(self.setup.device, budget=budget, image_roots=map(Path, self.setup.roots))

    def work(
        self, job: Job, cancelled: Callable[[], bool], moved: Callable[[Event | None], object]
    ) -> Answer:
        """Make a job's pictures; a mistake is an answer too.

        Args:
            cancelled: asked before every step.
            moved: called after every step; with what the engine says, where the job is watched.
        """
        try:
            if lacks := self._lacking(job):
                return Lacking(lacks)
            self._keep(job)
            return self._made(job, cancelled, moved)
        except StudioError as error:
            return Mistake(error.message, error.field)

    def _made(
        self, job: Job, cancelled: Callable[[], bool], moved: Callable[[Event | None], object]
    ) -> Answer:
        import torch

        torch.set_num_threads(self.setup.threads)  # of the thread that this runs in
        began, done = time.process_time(), []
        events = self.engine.generate(job.preset, job.drift_every, job.explain)
        try:
            for event in events:
                moved(event if job.watched else None)
                if isinstance(event, Done):
                    done.append(event)
                elif cancelled():
                    return Cancelled()
        finally:
            events.close()
        return Made(tuple(done), time.process_time() - began, self.device)

    def _lacking(self, job: Job) -> dict[str, str]:
        """What is not here, also after a second look: a model may have come since the first."""
        found = lacking(job.models, self.engine.library, self.setup.far)
        if found:
            self.engine.look_in(Library())
            found = lacking(job.models, self.engine.library, self.setup.far)
        return found

    def _keep(self, job: Job) -> None:
        """Put a job's pictures where the engine finds them by the names that the preset has."""
        if not job.pictures:
            return
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="studio-worker-")).resolve()
            self.engine.image_roots = (self._folder, *self.engine.image_roots)
        for ref, data in job.pictures.items():
            path = self._folder.joinpath(*PurePosixPath(ref).parts).resolve()
            if path.is_relative_to(self._folder):  # as everything that the packer finds
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def close(self) -> None:
        """Remove the pictures that came with jobs."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
