"""How far a training is, in steps or in minutes, and the learning rate that follows from it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from studio.train.config import TrainConfig


class Budget:
    """The share of a training that is spent: of its steps or of its minutes, whichever is more.

    Minutes are those of its steps alone, without loading, samples and checkpoints. On a CPU they
    are processor time per thread, so that other work on the machine shortens no training.

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
        """How many steps it will have been in all, as far as can be told."""
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

    @contextmanager
    def step(self) -> Iterator[None]:
        """Counts the time inside the ``with``; several processes agree on it, to end together."""
        began = self._clock()
        yield
        taken = self._clock() - began
        if self.config.minutes is not None and self.accelerator.num_processes > 1:
            told = torch.tensor(taken, device=self.accelerator.device)
            taken = float(self.accelerator.reduce(told, "mean"))
        self.seconds += taken

    def _clock(self) -> float:
        if self.accelerator.device.type == "cpu":
            return time.process_time() / torch.get_num_threads()
        return time.monotonic()
