"""diffusers' own caches on the same rows: what they save and what they cost, beside the studio's effort.

A plain loop over the parts of diffusers' pipeline runs all rows in one batch, without a cache and with each
that diffusers can lay on a U-Net. Its other caches (first block, MagCache, FasterCache, SeaCache, text keys) take
transformers only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from studio.bench.decibels import decibels, in_decibels

Row = tuple[str, float]
Lay = Callable[[Any, Callable[[], int]], None]


def broadcast(every: int) -> Lay:
    """Pyramid attention broadcast: an attention layer runs every so many steps, and its output is
    held; by diffusers' own default at times from 800 down to 100 alone."""

    def lay(unet: Any, now: Callable[[], int]) -> None:
        from diffusers.hooks.pyramid_attention_broadcast import (
            PyramidAttentionBroadcastConfig,
            apply_pyramid_attention_broadcast,
        )

        apply_pyramid_attention_broadcast(
            unet,
            PyramidAttentionBroadcastConfig(
                spatial_attention_block_skip_range=every,
                cross_attention_block_skip_range=every,
                current_timestep_callback=now,
            ),
        )

    return lay


def taylor(every: int) -> Lay:
    """TaylorSeer: a transformer block runs every so many steps, and its output is extrapolated between."""

    def lay(unet: Any, now: Callable[[], int]) -> None:
        del now
        from diffusers.hooks.taylorseer_cache import TaylorSeerCacheConfig, apply_taylorseer_cache

        apply_taylorseer_cache(
            unet,
            TaylorSeerCacheConfig(
                cache_interval=every,
                disable_cache_before_step=3,
                taylor_factors_dtype=torch.float32,
                cache_identifiers=[r".*transformer_blocks\.\d+"],
            ),
        )

    return lay


CACHES: dict[str, Lay | None] = {
    "no cache": None,
    "attention broadcast, every 2nd step": broadcast(2),
    "attention broadcast, every 4th step": broadcast(4),
    "TaylorSeer, every 2nd step": taylor(2),
    "TaylorSeer, every 4th step": taylor(4),
}


class Loop:
    """diffusers' pipeline of a folder, with a cache laid on its U-Net or none.

    Args:
        folder: a pipeline in diffusers' layout, whose own scheduler is used.
    """

    def __init__(self, folder: Path, lay: Lay | None, device: str) -> None:
        from diffusers import StableDiffusionPipeline

        self.device, self.step = device, 0
        self.pipe: Any = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
        self.pipe.to(device)
        if lay is not None:
            lay(self.pipe.unet, lambda: self.step)

    @torch.no_grad()
    def pictures(self, rows: Sequence[Row], steps: int, seeds: int) -> np.ndarray:
        """The pictures (seeds, H, W, 3) uint8 of ``rows``: ε̂ = ε(∅) + Σ wᵢ·(ε(cᵢ) − ε(∅)).

        Args:
            rows: prompts and weights.
            seeds: how many pictures, from noises of the seeds 0, 1, …
        """
        unet, scheduler, vae = self.pipe.unet, self.pipe.scheduler, self.pipe.vae
        states = self._states(["", *(prompt for prompt, _ in rows)]).repeat_interleave(seeds, 0)
        signed = [weight for _, weight in rows]
        weights = torch.tensor([1 - sum(signed), *signed], device=self.device)
        size = unet.config.sample_size
        scheduler.set_timesteps(steps, device=self.device)
        x = self._noise((unet.config.in_channels, size, size), seeds) * scheduler.init_noise_sigma
        for t in scheduler.timesteps:
            self.step = int(t)
            z = scheduler.scale_model_input(x, t).repeat(len(weights), 1, 1, 1)
            with _named(unet):
                said = unet(z, t, states).sample.unflatten(0, (len(weights), seeds))
            x = scheduler.step(torch.einsum("n,nbchw->bchw", weights, said), t, x).prev_sample
        drawn = vae.decode(x / vae.config.scaling_factor).sample.float()
        drawn = ((drawn + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return drawn.permute(0, 2, 3, 1).cpu().numpy()

    def _states(self, prompts: list[str]) -> Tensor:
        tokens = self.pipe.tokenizer(
            prompts,
            padding="max_length",
            max_length=self.pipe.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        return self.pipe.text_encoder(tokens.input_ids.to(self.device))[0]

    def _noise(self, shape: tuple[int, ...], seeds: int) -> Tensor:
        drawn = [
            torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in range(seeds)
        ]
        return torch.stack(drawn).to(self.device)


@contextmanager
def _named(unet: Any) -> Iterator[None]:
    """diffusers asks for the name of the denoising call while a stateful cache is laid on."""
    from diffusers.hooks.hooks import CacheContext, _set_cache_context

    _set_cache_context(unet, CacheContext("rows"))
    try:
        yield
    finally:
        _set_cache_context(unet, None)


def measure(
    folder: Path,
    rows: Sequence[Row],
    steps: int,
    seeds: int,
    device: str,
    tell: Callable[[str], object] = lambda _: None,
) -> list[dict[str, Any]]:
    """Each cache: ``run``, ``time`` (of the loop without one), ``psnr`` and ``worst`` against that loop, in dB."""
    clock = time.process_time if device == "cpu" else time.perf_counter
    made = []
    for name, lay in CACHES.items():
        tell(f"{len(rows)} rows, diffusers, {name}")
        loop = Loop(folder, lay, device)
        if not made:  # kernels are chosen, memory is taken
            loop.pictures(rows, 2, seeds)
        begun = clock()
        drawn = loop.pictures(rows, steps, seeds)
        made.append((name, drawn, clock() - begun))
    plain, whole = made[0][1], made[0][2]
    return [
        {"run": name, "time": round(seconds / whole, 3), **decibels(drawn, plain)}
        for name, drawn, seconds in made
    ]


def markdown(found: Mapping[str, Sequence[dict[str, Any]]]) -> str:
    """Number of rows → runs, as a table to read."""
    lines = ["| rows | diffusers, with | time | PSNR median (min), dB |", "|---|---|---|---|"]
    for count, runs in found.items():
        for one in runs:
            lines.append(f"| {count} | {one['run']} | {one['time']:.2f} | {in_decibels(one)} |")
    return "\n".join(lines) + "\n"
