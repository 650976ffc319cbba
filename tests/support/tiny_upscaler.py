"""Tiny random upscalers, written as the files that people have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch


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
