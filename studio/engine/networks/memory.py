"""How much of a CPU's memory a forward takes, and how much is free.

The estimates are fits to peaks measured on a CPU in float32, over U-Nets of Stable Diffusion's
shape (first level 32 and 64 wide, latents 32² and 64², 1-4 samples: 43-52 copies of the first
level's width per position) and autoencoders (64 to 512 px: 10-12 copies per pixel).
"""

from __future__ import annotations

import sys
from typing import Any

import psutil

from studio.engine.networks.storage import dtype_of

NETWORK_COPIES = 52
DECODER_COPIES = 12


def free_bytes() -> int:
    """Bytes of main memory that this process may still take."""
    available = psutil.virtual_memory().available
    if sys.platform == "win32":
        return available
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return available
    return max(0, min(available, limit - psutil.Process().memory_info().vms))


def network_bytes(network: Any, positions: int) -> int:
    """Peak of one sample's forward, weights apart.

    Args:
        network: with ``config``. positions: of the latent, height times width.
    """
    config = getattr(network, "body", network).config
    widths = config.get("block_out_channels") or (
        config.get("dim")
        or config.get("hidden_size")
        or config.get("num_attention_heads", 1) * config.get("attention_head_dim", 1),
    )
    return NETWORK_COPIES * positions * int(widths[0]) * _itemsize(network)


def decoder_bytes(vae: Any, pixels: int) -> int:
    """Peak of decoding so many pixels, weights apart."""
    config = vae.config
    widths = config.get("block_out_channels") or config["decoder_block_out_channels"]
    return DECODER_COPIES * pixels * int(widths[0]) * _itemsize(vae)


def _itemsize(network: Any) -> int:
    return dtype_of(network).itemsize
