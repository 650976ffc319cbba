"""Pictures enlarged by a network that was trained to (ESRGAN and its kin)."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from studio.engine.families.pixels import to_pixels
from studio.engine.families.pretrained import guarded
from studio.engine.inputs.settled import single
from studio.engine.networks.devices import free_memory, is_out_of_memory
from studio.errors import IncompatibleModels, NumericalError, OutOfMemory
from studio.events import Done, Event, Progress
from studio.library import ModelEntry
from studio.library.upscalers import plain_names
from studio.preset import Preset

Size = tuple[int, int]  # width, height
TILE, AROUND = 384, 24  # pixels of a part that is enlarged at once, and of what it sees besides
LEAST_TILE = 48  # a part is halved where memory runs out, down to this
MOST_TIMES = 3  # that a picture goes through the network
MOST_KEPT = 2  # pictures that it has made of starts, those that were asked for last
MOST_PIXELS = 2**26  # of what comes out of it: four times the largest picture that a preset makes


class Upscaler(nn.Module):
    """A network as the package that knows its kind describes it; ``scale``: times that it enlarges.
    It remembers what it has made lately, as each picture of a sweep may begin with the same."""

    def __init__(self, described: Any, name: str) -> None:
        super().__init__()
        self.network, self.described, self.name = described.model, described, name
        self.scale = int(described.scale)
        self._made: list[tuple[bytes, Image.Image]] = []

    def made(self, key: bytes) -> Image.Image | None:
        """What it has made under this key; ``None`` where that is longer ago."""
        found = next((image for known, image in self._made if known == key), None)
        if found is not None:
            self.remember(key, found)
        return found

    def remember(self, key: bytes, image: Image.Image) -> None:
        """Keep a picture for the next ones."""
        others = [one for one in self._made if one[0] != key]
        self._made = [*others, (key, image)][-MOST_KEPT:]

    def forward(self, pixels: Tensor) -> Tensor:
        """``pixels`` (1, 3, h, w) in [0, 1], ``scale`` times as large, on the CPU.

        Raises:
            NumericalError: NaN or infinity.
        """
        made = self.described(pixels.to(next(self.network.parameters()))).float().cpu()
        if not bool(torch.isfinite(made).all()):
            raise NumericalError(f"NaN or infinity from {self.name!r}")
        return made


def load_upscaler(entry: ModelEntry, device: torch.device) -> Upscaler:
    """The network of a file, in float32: half precision overflows in some of them.

    Raises:
        MissingModel: damaged. IncompatibleModels: of a kind that the package does not know, or one
            that does something else than enlarge or mend whole pictures in colour. Both name it.
    """

    def read() -> Any:
        from safetensors.torch import load_file
        from spandrel import ModelLoader, UnsupportedModelError

        state = load_file(Path(entry.path))
        names = plain_names(state)
        try:
            return ModelLoader().load_from_state_dict({names[one]: state[one] for one in names})
        except UnsupportedModelError as error:
            raise IncompatibleModels(
                f"{entry.id!r} is of no kind of upscaler that is known here"
            ) from error

    found = guarded(read, entry.id)
    if getattr(found, "purpose", "") not in ("SR", "Restoration"):
        raise IncompatibleModels(f"{entry.id!r} does not enlarge whole pictures")
    if (found.input_channels, found.output_channels) != (3, 3):
        raise IncompatibleModels(
            f"{entry.id!r} takes {found.input_channels} channels and makes "
            f"{found.output_channels}; pictures have 3"
        )
    found.to(device, torch.float32)
    return Upscaler(found, entry.id).eval().requires_grad_(False)


def upscaled(
    network: Upscaler, image: Image.Image, size: Size, lock: AbstractContextManager[Any], steps: int
) -> Generator[Event, None, Image.Image]:
    """An RGB picture enlarged to ``size``, whose aspect it has; events tell of each part of it.

    Through the network as often as it takes, at most :data:`MOST_TIMES`, then to the exact size
    (Lanczos). One that only mends (of scale 1) is used once. What would come out too large is made
    smaller before.

    Args:
        lock: held while the network runs.
        steps: of the run, which an event states.

    Raises:
        NumericalError: NaN or infinity from the network.
        OutOfMemory: not even a small part fits.
    """
    for _ in range(MOST_TIMES if network.scale > 1 else 1):
        over = image.width * image.height * network.scale**2 / MOST_PIXELS
        if over > 1:
            sides = (max(1, int(side / sqrt(over))) for side in image.size)
            image = image.resize((next(sides), next(sides)), Image.Resampling.LANCZOS)
        image = yield from _in_parts(network, image, lock, steps)
        if image.width >= size[0] and image.height >= size[1]:
            break
    return image.resize(size, Image.Resampling.LANCZOS)


def _in_parts(
    network: Upscaler, image: Image.Image, lock: AbstractContextManager[Any], steps: int
) -> Generator[Event, None, Image.Image]:
    """All of a picture through the network, each part with some of what is around it."""
    scale, began = network.scale, time.perf_counter()
    whole = np.empty((image.height * scale, image.width * scale, 3), np.uint8)
    parts = [(rows, columns) for rows in _cut(image.height) for columns in _cut(image.width)]
    for done, ((top, bottom), (left, right)) in enumerate(parts):
        spent = time.perf_counter() - began
        ahead = spent / done * (len(parts) - done) if done else 0.0
        yield Progress(0, steps, spent, ahead, 0, "enlarging")
        with lock:
            made = _part(network, image, (left, top, right, bottom))
        whole[top * scale : bottom * scale, left * scale : right * scale] = made
    return Image.fromarray(whole)


@torch.inference_mode()
def _part(network: Upscaler, image: Image.Image, box: tuple[int, int, int, int]) -> np.ndarray:
    """What the network makes of a box of the picture (h, w, 3); of its quarters where that does not fit."""
    left, top, right, bottom = box
    seen = (
        max(0, left - AROUND),
        max(0, top - AROUND),
        min(image.width, right + AROUND),
        min(image.height, bottom + AROUND),
    )
    try:
        pixels = network(to_pixels(image.crop(seen)) / 2 + 0.5)[0]
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        free_memory()
        if max(right - left, bottom - top) <= LEAST_TILE:
            raise OutOfMemory(f"{network.name!r} does not fit on this device") from error
        return _quartered(network, image, box)
    down, along = (top - seen[1]) * network.scale, (left - seen[0]) * network.scale
    high, wide = (bottom - top) * network.scale, (right - left) * network.scale
    part = pixels[:, down : down + high, along : along + wide]
    return (part * 255).round().byte().permute(1, 2, 0).numpy()


def _quartered(network: Upscaler, image: Image.Image, box: tuple[int, int, int, int]) -> np.ndarray:
    left, top, right, bottom = box
    across, down = (left + right + 1) // 2, (top + bottom + 1) // 2
    lines = [
        np.concatenate(
            [
                _part(network, image, (a, c, b, d))
                for a, b in ((left, across), (across, right))
                if a < b
            ],
            axis=1,
        )
        for c, d in ((top, down), (down, bottom))
        if c < d
    ]
    return np.concatenate(lines, axis=0)


def _cut(length: int) -> Iterator[Size]:
    """A side in parts of nearly one length, none over :data:`TILE`: where each begins and ends."""
    count = -(-length // TILE)
    for index in range(count):
        yield length * index // count, length * (index + 1) // count


def unpainted(
    preset: Preset, image: Image.Image, started: float, notes: tuple[str, ...] = ()
) -> Generator[Event, None, None]:
    """The events of a preset of which no step runs: the ``image`` that it comes to, once for each."""
    for index in range(preset.sampler.count):
        one, seconds = single(preset, index), time.perf_counter() - started
        yield Progress(0, 0, seconds, 0.0, 0, "decoding")
        yield Done(image, one.sampler.seed, one, 0, seconds, index, notes=notes)
