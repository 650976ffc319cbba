"""From latents to pictures, in as many parts as memory asks for: a finished run is not lost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from studio.engine.families import Family
from studio.engine.networks import memory
from studio.engine.networks.devices import free_memory, is_out_of_memory
from studio.engine.seamless import HEIGHT, WIDTH, wrapping
from studio.errors import OutOfMemory

BESIDE = 16  # latent positions of an opposite edge that a decoder sees where it decodes in tiles
SHARE = 0.8  # of the CPU's free memory; a machine that begins to swap is as good as stopped


def decode(
    family: Family, vae: Any, latent: Tensor, factor: int = 8, axes: Collection[int] = ()
) -> list[Image.Image]:
    """Pictures of ``latent`` (batch, channels, h, w); halved, then tiled, when memory runs out.

    On the CPU it is estimated beforehand, since a system may stop a process instead of saying no.

    Args:
        factor: pixels per latent position along an edge.
        axes: along which the picture's edges meet.

    Raises:
        OutOfMemory: not even one tile at a time fits.
    """
    if not _exceeds(vae, latent, factor):
        try:
            with wrapping([vae], axes):
                return family.decode(vae, latent)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        free_memory()
    half = len(latent) // 2
    if half:
        parts = (latent[:half], latent[half:])
        return [one for part in parts for one in decode(family, vae, part, factor, axes)]
    vae.enable_tiling()
    try:
        return _continued(family, vae, latent, factor, axes)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            "the picture cannot be decoded on this device; choose a smaller width and height",
            field="sampler.width",
        ) from error
    finally:
        vae.disable_tiling()


def _continued(
    family: Family, vae: Any, latent: Tensor, factor: int, axes: Collection[int]
) -> list[Image.Image]:
    """Pictures of latents that have some of their opposite edge beside them, which is cut off: each tile
    has edges of its own, which must not meet."""
    if not axes:
        return family.decode(vae, latent)
    across, down = (min(BESIDE, latent.shape[a]) if a in axes else 0 for a in (WIDTH, HEIGHT))
    given = F.pad(latent, (across, across, down, down), mode="circular")
    high, wide = (side * factor for side in latent.shape[-2:])
    left, top = across * factor, down * factor
    box = (left, top, left + wide, top + high)
    return [one.crop(box) for one in family.decode(vae, given)]


def _exceeds(vae: Any, latent: Tensor, factor: int) -> bool:
    if latent.device.type != "cpu":
        return False
    pixels = latent.shape[0] * latent.shape[-1] * latent.shape[-2] * factor**2
    return memory.decoder_bytes(vae, pixels) > memory.free_bytes() * SHARE
