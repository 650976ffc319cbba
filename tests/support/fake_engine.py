"""An engine that needs no weights, and a form filled for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from PIL import Image

from studio.events import Done, Event, Explanation, Preview, Progress, RowShare
from studio.preset import Preset, validate
from studio.ui.form import to_values

ROWS = [
    {"prompt": "a cat", "weight": 7.5},
    {"prompt": "<b>dog</b>", "weight": -1.5, "range": [0, 0.6]},
]


class FakeEngine:
    """Three steps and an image; notes whether its generator was closed."""

    def __init__(self, fails: Exception | None = None, pause: float = 0.0, steps: int = 3) -> None:
        self.fails, self.pause, self.steps = fails, pause, steps
        self.closed, self.seen = 0, []

    def __call__(self, preset: Preset, explain: bool = False) -> Iterator[Event]:
        self.seen.append(preset)
        try:
            for step in range(1, self.steps + 1):
                time.sleep(self.pause)
                yield Progress(step, self.steps, step * 0.1, 0.0, 2 * step)
                yield Preview(step, (Image.new("RGB", (32, 32), "gray"),))
                if self.fails:
                    raise self.fails
            for index in range(preset.sampler.count):
                seed = preset.sampler.seed + index
                yield Done(
                    Image.new("RGB", (32, 32), "red"),
                    seed,
                    preset.with_seed(seed),
                    6,
                    0.3,
                    index,
                    (RowShare(0, (1.0, None, 2.0), (1.0, None, 1.0)),),
                    explanation=explanation() if explain else None,
                )
        finally:
            self.closed += 1


def explanation() -> Explanation:
    """Of two moments and one row, which took no part at the second."""
    gray = Image.new("RGB", (16, 16), "gray")
    return Explanation((1, 3), 3, (gray, gray), {0: (gray, None)}, (gray, gray))


def values(**changes: Any) -> dict[str, Any]:
    """What the form holds for rows of :data:`ROWS`, by name."""
    return to_values(validate({"rows": ROWS, **changes}))
