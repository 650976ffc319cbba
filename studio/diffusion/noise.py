"""Where a picture's noise comes from: seeds, their variations, and generators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_WORDS = slice(24, 24 + 624 * 8)  # of the Mersenne Twister in the state of torch's CPU generator
_LOW = 2**32 - 1


def generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator whose numbers are this seed's alone, for seeds from 0 to 2⁵³ − 1.

    torch's CPU generator keeps 32 bits of a seed. Beyond them the Mersenne Twister is started from
    both words of the seed (``init_by_array``, as numpy does), so that 5 and 2³² + 5 differ; seeds
    below are torch's own.
    """
    made = torch.Generator(device).manual_seed(seed)
    if seed > _LOW and made.device.type == "cpu":
        words = np.random.RandomState([seed & _LOW, seed >> 32]).get_state(legacy=False)["state"][
            "key"
        ]
        state = made.get_state()
        state.numpy()[_WORDS].view(np.uint64)[:] = words
        made.set_state(state)
    return made


def initial_noise(
    shape: Sequence[int], generators: Sequence[torch.Generator], device: torch.device
) -> Tensor:
    """One unit Gaussian of ``shape`` (channels, height, width) per generator, float32.

    Drawn on the generators' own device, the CPU unless one asks for another, so that a seed gives
    one image everywhere.
    """
    noise = [torch.randn((1, *shape), generator=g, device=g.device) for g in generators]
    return torch.cat(noise).to(device)


def varied(noise: Tensor, variation: Tensor, strength: float) -> Tensor:
    """``noise`` turned towards ``variation`` on the sphere: 0 is the one, 1 the other.

    Spherical interpolation of each column of each channel, as AUTOMATIC1111's web UI has it, so
    that variation seeds mean the same here.

    Args:
        noise, variation: (batch, channels, height, width).
        strength: in [0, 1].
    """
    units = [one / torch.linalg.vector_norm(one, dim=2, keepdim=True) for one in (noise, variation)]
    cosine = (units[0] * units[1]).sum(2, keepdim=True)
    # One decision for each picture, on its mean: nearly parallel noise is interpolated straight.
    parallel = cosine.mean((1, 2, 3), keepdim=True) > 0.9995
    angle = torch.acos(cosine.clamp(-1, 1))
    shares = [torch.sin(part * angle) / torch.sin(angle) for part in (1 - strength, strength)]
    turned = shares[0] * noise + shares[1] * variation
    return torch.where(parallel, torch.lerp(noise, variation, strength), turned)
