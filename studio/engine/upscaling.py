"""Pictures enlarged by a network that was trained to (ESRGAN and its kin)."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from math import ceil
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from studio.engine.families.pixels import to_images, to_pixels
from studio.engine.families.pretrained import guarded
from studio.engine.inputs.settled import single
from studio.errors import IncompatibleModels, StudioError
from studio.events import Done, Event, Progress
from studio.library import ModelEntry
from studio.library.upscalers import without_prefix
from studio.preset import Init, Preset

Size = tuple[int, int]  # width, height
Upscale = Callable[[Image.Image, Size], Image.Image]
TILE, AROUND = 384, 24  # pixels of a part that is enlarged at once, and of what it sees besides
MOST_TIMES = 3  # that a picture goes through the network


class Upscaler(nn.Module):
    """A network as the package that knows its kind describes it; ``scale``: times that it enlarges."""

    def __init__(self, described: Any) -> None:
        super().__init__()
        self.network, self.described, self.scale = described.model, described, int(described.scale)

    def forward(self, pixels: Tensor) -> Tensor:
        """``pixels`` (1, 3, h, w) in [0, 1], ``scale`` times as large, float32 on the CPU."""
        return self.described(pixels.to(next(self.network.parameters()))).float().cpu()


def load_upscaler(entry: ModelEntry, device: torch.device, dtype: torch.dtype) -> Upscaler:
    """The network of a file, in ``dtype`` where its kind bears that and in float32 otherwise.

    Raises:
        MissingModel: damaged. IncompatibleModels: of a kind that the package does not know, or one
            that does something else than enlarge or mend whole pictures in colour. Both name it.
    """
    from safetensors.torch import load_file
    from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError

    def read() -> Any:
        state = load_file(Path(entry.path))
        before = "".join(without_prefix(state))
        state = {name.removeprefix(before): tensor for name, tensor in state.items()}
        try:
            return ModelLoader().load_from_state_dict(state)
        except UnsupportedModelError as error:
            raise IncompatibleModels(
                f"{entry.id!r} is of no kind of upscaler that is known here"
            ) from error

    found = guarded(read, entry.id)
    if not isinstance(found, ImageModelDescriptor) or found.purpose == "FaceSR":
        raise IncompatibleModels(f"{entry.id!r} does not enlarge whole pictures")
    if (found.input_channels, found.output_channels) != (3, 3):
        raise IncompatibleModels(
            f"{entry.id!r} takes {found.input_channels} channels and makes "
            f"{found.output_channels}; pictures have 3"
        )
    borne = {torch.float16: found.supports_half, torch.bfloat16: found.supports_bfloat16}
    found.to(device, dtype if borne.get(dtype) else torch.float32)
    return Upscaler(found).eval().requires_grad_(False)


def upscaling(init: Init | None, load: Callable[[str], Upscaler]) -> Upscale:
    """What enlarges the picture that a preset starts from until it covers a size; without an upscaler
    it stays as it is.

    Args:
        load: an upscaler by its id; asked for only where a picture is smaller.
    """

    def enlarged(image: Image.Image, size: Size) -> Image.Image:
        times = max(size[0] / image.width, size[1] / image.height)
        if init is None or not init.upscaler or times <= 1:
            return image
        try:
            network = load(init.upscaler)
        except StudioError as error:
            raise type(error)(error.message, field=error.field or "init.upscaler") from error
        return upscaled(network, image, (ceil(image.width * times), ceil(image.height * times)))

    return enlarged


def unpainted(preset: Preset, image: Image.Image, started: float) -> Generator[Event, None, None]:
    """The events of a preset of which no step runs: the ``image`` that it comes to, once for each."""
    for index in range(preset.sampler.count):
        one, seconds = single(preset, index), time.perf_counter() - started
        yield Progress(0, 0, seconds, 0.0, 0, "decoding")
        yield Done(image, one.sampler.seed, one, 0, seconds, index)


def upscaled(network: Upscaler, image: Image.Image, size: Size) -> Image.Image:
    """An RGB picture enlarged to ``size``, of about its aspect.

    Through the network as often as it takes, at most :data:`MOST_TIMES`, then to the exact size
    (Lanczos). One that only mends (of scale 1) is used once.
    """
    for _ in range(MOST_TIMES if network.scale > 1 else 1):
        image = to_images(_in_parts(network, to_pixels(image) / 2 + 0.5) * 2 - 1)[0]
        if image.width >= size[0] and image.height >= size[1]:
            break
    return image.resize(size, Image.Resampling.LANCZOS)


@torch.inference_mode()
def _in_parts(network: Upscaler, pixels: Tensor) -> Tensor:
    """``pixels`` (1, 3, h, w) in [0, 1] through the network, each part with some of what is around."""
    scale = network.scale
    _, _, height, width = pixels.shape
    whole = torch.empty(1, 3, height * scale, width * scale)
    for top, bottom in _cut(height):
        for left, right in _cut(width):
            rows = slice(max(0, top - AROUND), bottom + AROUND)
            columns = slice(max(0, left - AROUND), right + AROUND)
            made = network(pixels[:, :, rows, columns])
            down, along = (top - rows.start) * scale, (left - columns.start) * scale
            whole[:, :, top * scale : bottom * scale, left * scale : right * scale] = made[
                :,
                :,
                down : down + (bottom - top) * scale,
                along : along + (right - left) * scale,
            ]
    return whole


def _cut(length: int) -> Iterator[tuple[int, int]]:
    """A side in parts of nearly one length, none over :data:`TILE`."""
    count = -(-length // TILE)
    for index in range(count):
        yield length * index // count, length * (index + 1) // count
