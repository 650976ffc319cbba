"""An engine that goes on only when it is let, for tests of the queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from studio.events import Done, Event, FirstPass, Preview, Progress
from studio.preset import Preset, SecondPass

EVENTS = 2  # to be released for each picture


class HeldEngine:
    """Goes on by one event for each ``release()``; a second pass takes ``EVENTS`` more.

    Args:
        further: a further step comes before each picture, by the same release.
    """

    def __init__(self, further: bool = False) -> None:
        self.further = further
        self.gate = threading.Semaphore(0)
        self.started: list[str] = []
        self.closed = 0

    def release(self, events: int = 1) -> None:
        self.gate.release(events)

    def __call__(self, preset: Preset) -> Iterator[Event]:
        self.started.append(preset.name)
        picture = Image.new("RGB", (32, 32), "gray")
        try:
            for index in range(preset.sampler.count):
                self.gate.acquire()
                yield Progress(1, 2, 1.0, 1.0, 2)
                yield Preview(1, (picture,) * (preset.sampler.count - index))
                self.gate.acquire()
                seed = preset.sampler.seed + index
                done = Done(picture, seed, preset.with_seed(seed), 4, 2.0, index)
                if preset.second_pass.on:
                    once = preset.with_seed(seed).model_copy(update={"second_pass": SecondPass()})
                    yield FirstPass(replace(done, preset=once))
                    self.gate.acquire()
                    yield Progress(2, 3, 1.0, 1.0, 4)
                    yield Preview(2, (Image.new("RGB", (64, 64), "navy"),))
                    self.gate.acquire()
                if self.further:
                    yield Progress(1, 2, 1.0, 1.0, 2)
                yield done
        finally:
            self.closed += 1
