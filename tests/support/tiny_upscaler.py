"""Tiny random upscalers, written as the files that people have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image


def tiny_upscaler(scale: int = 4, channels: int = 3) -> Any:
    """An ESRGAN of two blocks whose pictures are no single colour."""
    pytest.importorskip("spandrel")
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(5)
    network = ESRGAN(
        in_nc=channels, out_nc=channels, num_filters=8, num_blocks=2, scale=scale
    ).eval()
    return network.requires_grad_(False)


def write_upscaler(path: Path, network: Any, before: str = "") -> Path:
    """Its tensors as one file, each name after ``before``."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    state = {f"{before}{name}": value.contiguous() for name, value in network.state_dict().items()}
    save_file(state, path)
    return path


def noise(width: int, height: int) -> Image.Image:
    """A picture in which no two pixels are alike."""
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


def pixels(image: Image.Image) -> np.ndarray:
    """As integers that can be subtracted."""
    return np.asarray(image).astype(int)


def sizes_given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of all pictures that go through a network from here on, as they come."""
    from studio.engine import upscaling

    sizes: list[tuple[int, int]] = []
    plain = upscaling._in_parts

    def watched(network: Any, image: Image.Image, lock: Any, steps: int) -> Any:
        sizes.append(image.size)
        return plain(network, image, lock, steps)

    monkeypatch.setattr(upscaling, "_in_parts", watched)
    return sizes
