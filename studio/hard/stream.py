"""An engine that needs no weights: its pictures are of a colour that the prompt names."""

from __future__ import annotations

import time
from collections.abc import Iterator

from PIL import Image

from studio.events import Done, Event, Preview, Progress
from studio.preset import Preset

STEPS = 4


def colour_of(number: int) -> tuple[int, int, int]:
    """A colour of its own for each number below 4,096, far enough apart to survive a JPEG."""
    return 16 * (number % 16) + 8, 16 * (number // 16 % 16) + 8, 16 * (number // 256 % 16) + 8


def number_of(colour: tuple[int, ...]) -> int:
    """The number whose colour is nearest."""
    red, green, blue = (value // 16 for value in colour[:3])
    return red + 16 * green + 256 * blue


def stream(preset: Preset, pause: float = 0.0) -> Iterator[Event]:
    """Steps and pictures; the first row's prompt is the number of their colour."""
    words = (preset.rows[0].prompt if preset.rows else "").split()
    number = int(words[0]) if words and words[0].isdecimal() else 0
    count, image = preset.sampler.count, Image.new("RGB", (64, 64), colour_of(number % 4096))
    for step in range(1, STEPS + 1):
        time.sleep(pause)
        yield Progress(step, STEPS, step * pause, (STEPS - step) * pause, step)
        yield Preview(step, (image,) * min(count, 8))
    for index in range(count):
        seed = preset.sampler.seed + index
        one = preset.with_seed(seed)
        yield Done(image, seed, one, STEPS, STEPS * pause, index, (), ())
