"""Pictures as tensors, and decoded tensors as pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_pixels(image: Image.Image) -> Tensor:
    """An RGB picture as pixels (1, 3, h, w) in [-1, 1], float32, as diffusers' pipelines have it."""
    array = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None]
    return array.float() / 255 * 2 - 1


def to_images(pixels: Tensor) -> list[Image.Image]:
    """Pixels (batch, 3, h, w) in [-1, 1] to 8-bit RGB pictures."""
    array = ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte()
    return [
        Image.fromarray(np.ascontiguousarray(a)) for a in array.permute(0, 2, 3, 1).cpu().numpy()
    ]


def shift_of(vae: Any) -> float:
    """What a latent's mean is moved by before it is scaled: ``z = (x − shift)·scaling``; mostly 0."""
    return float(vae.config.get("shift_factor") or 0.0)


def apply_preview(latent: Tensor, weight: Tensor, bias: Tensor) -> list[Image.Image]:
    """A cheap picture of a latent: one matrix product per position, then pixel shuffle."""
    patch = int((weight.shape[0] // 3) ** 0.5)
    mapped = torch.einsum("oc,bchw->bohw", weight, latent.float().cpu()) + bias[:, None, None]
    return to_images(torch.nn.functional.pixel_shuffle(mapped, patch))
