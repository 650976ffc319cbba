"""How far a training is, in steps or in minutes, and the learning rate that follows from it."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from studio.train.config import TrainConfig
from studio.train.events import TrainEvent


class Budget:
    """The share of a training that is spent: of its steps or of its minutes, whichever is more.

    Minutes are those of the whole run: loading, steps, samples and checkpoints, but not the time for
    which it waits or is paused. The steps' on a CPU are processor time per thread, so that other
    work on the machine shortens no training.

    Attributes:
        seconds: spent so far, over all runs.
    """

    def __init__(self, config: TrainConfig, accelerator: Any) -> None:
        self.config = config
        self.accelerator = accelerator
        self.seconds = 0.0

    def share(self, done: int) -> float:
        """0 to 1 and beyond, after ``done`` steps."""
        by_steps = done / self.config.steps
        minutes = self.config.minutes
        return by_steps if minutes is None else max(by_steps, self.seconds / (60 * minutes))

    def steps(self, done: int) -> int:
        """How many steps it will have been in all, as far as is known."""
        share = self.share(done)
        if self.config.minutes is None or share == 0:
            return self.config.steps
        return done if share >= 1 else max(done + 1, round(done / share))

    def rate(self, done: int) -> float:
        """The next step's share of the learning rate: linear warm-up, then as scheduled."""
        warm = min(1.0, (done + 1) / self.config.warmup) if self.config.warmup else 1.0
        if self.config.rate_schedule == "constant":
            return warm
        return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, self.share(done))))

    def timed(self, events: Generator[TrainEvent, None, None]) -> Generator[TrainEvent, None, None]:
        """The same events; what happens before each of them is counted, what follows outside is not."""
        try:
            while True:
                began = time.monotonic()
                try:
                    event = next(events)
                except StopIteration:
                    return
                finally:
                    self.seconds += time.monotonic() - began
                yield event
        finally:
            events.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """One step: on a CPU its processor time is counted in place of the clock's.

        Several processes agree on the seconds spent, to end together.
        """
        began, used = time.monotonic(), time.process_time()
        yield
        if self.accelerator.device.type == "cpu":
            worked = (time.process_time() - used) / torch.get_num_threads()
            self.seconds += worked - (time.monotonic() - began)
        if self.config.minutes is not None and self.accelerator.num_processes > 1:
            mine = torch.tensor(self.seconds, device=self.accelerator.device)
            self.seconds = float(self.accelerator.reduce(mine, "mean"))
