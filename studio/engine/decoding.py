"""From latents to pictures, in as many parts as memory asks for: a finished run is not lost."""

from __future__ import annotations

from typing import Any

from PIL import Image
from torch import Tensor

from studio.engine.families import Family
from studio.engine.networks import memory
from studio.engine.networks.devices import free_memory, is_out_of_memory
from studio.errors import OutOfMemory

SHARE = 0.8  # of the CPU's free memory; a machine that begins to swap is as good as stopped


def decode(family: Family, vae: Any, latent: Tensor, factor: int = 8) -> list[Image.Image]:
    """Pictures of ``latent`` (batch, channels, h, w); halved, then tiled, when memory runs out.

    On the CPU it is estimated beforehand, since a system may stop a process instead of saying no.

    Args:
        factor: pixels per latent position along an edge.

    Raises:
        OutOfMemory: not even one tile at a time fits.
    """
    if not _exceeds(vae, latent, factor):
        try:
            return family.decode(vae, latent)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        free_memory()
    half = len(latent) // 2
    if half:
        return decode(family, vae, latent[:half], factor) + decode(
            family, vae, latent[half:], factor
        )
    vae.enable_tiling()
    try:
        return family.decode(vae, latent)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            "the picture cannot be decoded on this device; choose a smaller width and height",
            field="sampler.width",
        ) from error
    finally:
        vae.disable_tiling()


def _exceeds(vae: Any, latent: Tensor, factor: int) -> bool:
    if latent.device.type != "cpu":
        return False
    pixels = latent.shape[0] * latent.shape[-1] * latent.shape[-2] * factor**2
    return memory.decoder_bytes(vae, pixels) > memory.free_bytes() * SHARE
