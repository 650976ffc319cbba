"""What a process of a pool runs in a test: no engine, and an end of each kind by the prompt."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.events import Event, Progress
from studio.workers import processes
from studio.workers.crew import Answer, Cancelled, Setup
from studio.workers.job import Job
from tests.support.fake_crew import made


class FakeWorker:
    """``die PATH`` ends the process the first time, ``wait`` and ``steps`` step until it is
    cancelled, the latter aloud, ``slow``
    takes half a second."""

    device = "cpu"

    def __init__(self, at_start: str | None) -> None:
        if at_start == "raises":
            raise ValueError("a plug-in\nof somebody else")

    def work(
        self, job: Job, cancelled: Callable[[], bool], moved: Callable[[Event | None], object]
    ) -> Answer:
        said, _, place = job.preset.rows[0].prompt.partition(" ")
        if said == "die" and not Path(place).exists():
            Path(place).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if said == "fail":
            raise RuntimeError("a kernel\nthat is no more")
        if said == "slow":
            time.sleep(0.5)
        step = 0
        while said == "steps" and not cancelled():
            step += 1
            moved(Progress(step, 10**9, 0.0, 0.0, step))
            time.sleep(0.01)
        while said == "wait" and not cancelled():
            time.sleep(0.01)
            moved(None)
        return Cancelled() if cancelled() else made(job)


def serve(pipe: Any, worker: int, setup: Setup) -> None:
    """As :func:`studio.workers.processes.serve`; the setup's device says what is wrong at the start."""
    line = processes.Line(pipe, worker)
    if setup.device == "exits":
        os._exit(3)
    processes.attend(line, lambda: FakeWorker(setup.device))


def wait_for_ever(address: str) -> None:
    """A command that hands two jobs to two workers which never end; for Ctrl-C."""
    from studio.workers.pool import Pool

    processes.serve = serve
    crew = processes.Processes(Setup())
    give = crew.give

    def told(worker: int, number: int, job: Job) -> None:
        give(worker, number, job)
        pids = [str(member.process.pid) for member in crew._members.values()]
        Path(address).write_text(" ".join(pids))

    crew.give = told  # type: ignore[method-assign]
    with Pool(crew, 2) as pool:
        list(pool.run([asks("wait"), asks("wait")], lambda one: one))


def asks(prompt: str, seed: int = 0) -> Job:
    """A job of a prompt."""
    from studio.preset import validate

    return Job(validate({"rows": [{"prompt": prompt}], "sampler": {"seed": seed}}))
