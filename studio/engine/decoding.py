"""From latents to pictures, in as many parts as memory asks for: a finished run is not lost."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image
from torch import Tensor

from studio.engine.families import Family
from studio.errors import OutOfMemory


def decode(family: Family, vae: Any, latent: Tensor) -> list[Image.Image]:
    """Pictures of ``latent`` (batch, channels, h, w); halved, then tiled, when memory runs out.

    Raises:
        OutOfMemory: not even one tile at a time fits.
    """
    try:
        return family.decode(vae, latent)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
    half = len(latent) // 2
    if half:
        return decode(family, vae, latent[:half]) + decode(family, vae, latent[half:])
    vae.enable_tiling()
    try:
        return family.decode(vae, latent)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            "the picture cannot be decoded on this device; choose a smaller width and height",
            field="sampler.width",
        ) from error
    finally:
        vae.disable_tiling()
