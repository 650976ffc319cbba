"""What the batches of one generation share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from studio.diffusion import noise, sampling
from studio.engine.denoiser import PreparedPass
from studio.engine.effort import Controller
from studio.engine.inputs.start_image import Pictures
from studio.plan import Plan
from studio.preset import Preset, Sampler
from studio.preset.effort import allowed_error


@dataclass(frozen=True)
class Job:
    """What the batches of one generation share."""

    preset: Preset
    plan: Plan
    passes: Sequence[PreparedPass]
    pictures: Pictures
    vae: Any
    shape: tuple[int, int, int]
    config: Mapping[str, Any]
    family: str
    seen: Sampler  # the size of what a network sees at once
    samples: int


def part_of(shape: tuple[int, int, int], whole: Sampler, seen: Sampler) -> tuple[int, int, int]:
    """Of a latent of ``shape`` what the network sees at once."""
    channels, height, width = shape
    return (
        channels,
        height * (seen.height or 1) // (whole.height or 1),
        width * (seen.width or 1) // (whole.width or 1),
    )


def drawn_noise(
    shape: tuple[int, int, int],
    singles: Sequence[Preset],
    generators: Sequence[torch.Generator],
    device: torch.device,
) -> Tensor:
    """The noise that images begin with (batch, channels, h, w), turned towards their variation's.

    Args:
        singles: the preset of each. generators: of each, at its seed.
    """
    sampler, drawn = singles[0].sampler, noise.initial_noise(shape, generators, device)
    if not sampler.variation_strength:
        return drawn
    where = generators[0].device
    others = [noise.generator(one.sampler.variation_seed, where) for one in singles]
    variation = noise.initial_noise(shape, others, device)
    return noise.varied(drawn, variation, sampler.variation_strength)


def effort_of(
    preset: Preset, plan: Plan, scheduler: Any, start: int, images: int
) -> Controller | None:
    """What chooses the passes of each evaluation, where the preset allows an error."""
    allowed = allowed_error(preset.sampler.effort)
    if not allowed:
        return None
    return Controller(allowed, plan, sampling.noise_levels(scheduler, start), images)
