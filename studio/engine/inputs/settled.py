"""A preset with everything settled that it leaves open: seeds, size, and one image's own of each."""

from __future__ import annotations

import random
from typing import Any

from studio.library import ModelEntry, family_of
from studio.plan.size import picture_size
from studio.preset import MAX_SEED, Preset
from studio.preset.variants import chosen, counted_seed


def resolved(preset: Preset, base: ModelEntry) -> Preset:
    """Fill in the seeds, the native size and FreeU's factors; check the size against the VAE."""
    sampler = preset.sampler
    seeds = {
        name: getattr(sampler, name)
        for name in ("seed", "variation_seed")
        if getattr(sampler, name) >= 0
    }
    missing = {"seed"} | ({"variation_seed"} if sampler.variation_strength else set())
    for name in missing - set(seeds):
        seeds[name] = random.SystemRandom().randrange(2**32)
    width, height = picture_size(preset, base)
    filled = sampler.model_copy(update={**seeds, "width": width, "height": height})
    freeu = preset.freeu
    if freeu.on and base.family:
        freeu = freeu.settled(family_of(base.family).freeu)
    return preset.model_copy(update={"sampler": filled, "freeu": freeu})


def as_chosen(one: Preset) -> Preset:
    """One image's preset with what its prompts leave to chance chosen by the seed that counts."""
    return chosen(one, counted_seed(one))


def latent_shape(vae: Any, preset: Preset) -> tuple[int, int, int]:
    """Channels, height and width of the latents."""
    config = vae.config
    widths = config.get("block_out_channels") or config["encoder_block_out_channels"]
    factor = 2 ** (len(widths) - 1)
    width, height = size_of(preset)
    return int(config.latent_channels), height // factor, width // factor


def size_of(preset: Preset) -> tuple[int, int]:
    """Width and height in pixels, once :func:`resolved` has filled them in."""
    return preset.sampler.width or 0, preset.sampler.height or 0


def single(preset: Preset, index: int) -> Preset:
    """The preset of one image of a batch: its own seed, or its own variation seed."""
    sampler = preset.sampler
    counted = "variation_seed" if sampler.variation_strength else "seed"
    # As the next run's follow on its: after the largest that a preset holds comes 0.
    update = {counted: (getattr(sampler, counted) + index) % (MAX_SEED + 1), "count": 1}
    return preset.model_copy(update={"sampler": sampler.model_copy(update=update)})
