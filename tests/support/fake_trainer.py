"""A trainer that steps without a network."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from PIL import Image

from studio.train.config import TrainConfig
from studio.train.events import Finished, Losses, Note, Samples, TrainEvent, TrainProgress


class FakeTrainer:
    """Steps that wait for nothing; remembers what it was asked and how it ended."""

    def __init__(self, pause: float = 0.0, fails: Exception | None = None) -> None:
        self.pause, self.fails = pause, fails
        self.asked: list[tuple[TrainConfig, bool]] = []
        self.step, self.closed = 0, 0

    def __call__(
        self,
        config: TrainConfig,
        resume: bool = False,
        restart: bool = False,
        finish: bool = False,
    ) -> Generator[TrainEvent, None, None]:
        self.asked.append((config, resume))
        try:
            self.step = self.step if resume else 0
            yield Note("1 of 2 pictures skipped")
            while self.step < config.steps and not finish:
                time.sleep(self.pause)
                if self.fails:
                    raise self.fails
                self.step += 1
                yield Losses(self.step, 1.0 / self.step, 1.0 / self.step, dd=0.5 * self.step)
                yield TrainProgress(self.step, config.steps, 1.0, 65.0)
            yield Samples(self.step, ("<b>a</b>",), (Image.new("RGB", (8, 8)),), 5.0, 0.4)
            yield Finished(config.name, Path(__file__), self.step, 2.0)
        finally:
            self.closed += 1


def config(**changes: Any) -> TrainConfig:
    """Four steps of a LoRA of the name ``mine``."""
    given = {"method": "lora", "word": "<hero>", "superclass": "ghost", "steps": 4, **changes}
    return TrainConfig(images="x", name="mine", **given)
