"""Workers that need no engine: each says what a test has it say, one report at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from studio.errors import StudioError
from studio.events import Done
from studio.preset import validate
from studio.workers.crew import Answer, Answered, Cancelled, Lost, Made, Ready, Report, Setup
from studio.workers.job import Job
from studio.workers.versions import versions

PRESET = validate({"rows": [{"prompt": "a cat"}]})
Behaviour = Callable[
    [int, Job], "Answer | str | None"
]  # worker, job → answer, reason of a loss, none


def job(seed: int, *networks: str, **models: str) -> Job:
    """A job whose picture is known by its seed."""
    preset = PRESET.with_seed(seed)
    return Job(preset, models=models, networks=frozenset(networks))


def made(one: Job) -> Made:
    """The picture of a job."""
    seed = one.preset.sampler.seed
    return Made((Done(Image.new("RGB", (1, 1)), seed, one.preset, 1),), 0.0, "cpu")


def seed_of(answer: Made) -> int:
    """Which picture an answer holds."""
    return answer.done[0].seed


@dataclass
class FakeCrew:
    """A crew (:class:`studio.workers.crew.Crew`) of which one worker after another does one job.

    Args:
        behaves: what a worker says to a job; ``None``: nothing, ever.
        starts: what a worker says first: a report, or an error that hiring raises.
    """

    behaves: Behaviour = lambda worker, job: made(job)
    starts: Callable[[int], Report | Exception | None] = lambda worker: Ready(worker, versions())
    where: str = "this machine"
    hired: list[int] = field(default_factory=list)
    given: list[tuple[int, int]] = field(default_factory=list)  # worker, seed
    dismissed: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    most_in_hand: int = 0
    stopped: int = 0

    def __post_init__(self) -> None:
        self.jobs: dict[int, deque[tuple[int, Job]]] = {}
        self.reports: deque[Report] = deque()

    def hire(self, worker: int) -> None:
        self.hired.append(worker)
        said = self.starts(worker)
        if isinstance(said, Exception):
            raise said
        if said is not None:
            self.reports.append(said)
        self.jobs[worker] = deque()

    def give(self, worker: int, number: int, job: Job) -> None:
        self.given.append((worker, job.preset.sampler.seed))
        self.jobs[worker].append((number, job))
        self.most_in_hand = max(self.most_in_hand, len(self.jobs[worker]))

    def cancel(self, worker: int) -> None:
        self.cancelled.append(worker)
        jobs, self.jobs[worker] = self.jobs[worker], deque()
        self.reports += [Answered(worker, number, Cancelled()) for number, _ in jobs]

    def dismiss(self, worker: int) -> None:
        self.dismissed.append(worker)
        self.jobs.pop(worker, None)

    def wait(self, seconds: float) -> list[Report]:
        if self.reports:
            return [self.reports.popleft()]
        for worker, jobs in list(self.jobs.items()):
            if not jobs:
                continue
            said = self.behaves(worker, jobs[0][1])
            if said is None:
                continue
            number, _ = jobs.popleft()
            self.jobs[worker] = self.jobs.pop(worker)  # the others come first next time
            if isinstance(said, str):
                del self.jobs[worker]
                return [Lost(worker, said)]
            return [Answered(worker, number, said)]
        return []

    def stop(self) -> None:
        self.stopped += 1
        raise RuntimeError("a crew that cannot even stop")


def crew_of_two(address: str, setup: Setup) -> tuple[FakeCrew, int]:
    """What a process of :mod:`studio.workers.apart` has in a test; its own end, or a refusal, by the
    address."""
    if address == "nowhere":
        raise StudioError("no Ray cluster can be reached at nowhere (refused)", field="--workers")

    def behaves(worker: int, one: Job) -> Answer:
        place = Path(address)
        if one.preset.sampler.seed == 2 and not place.exists():
            place.touch()
            os._exit(1)
        return made(one)

    return FakeCrew(behaves), 2
