"""One small picture twice, of diffusers' own pipeline and of the engine: three steps, seed 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from PIL import Image

from studio.engine import Engine
from studio.events import Done
from studio.library import Library
from studio.preset import validate

STEPS, SEED, SCALE = 3, 3, 4.0


def theirs(pipe: Any, prompt: str | None = None, size: int = 16, **arguments: Any) -> np.ndarray:
    """What a pipeline of diffusers makes, as integers (size, size, 3) that can be subtracted.

    ``arguments`` are the pipeline's; the scale is 4 unless they say otherwise.
    """
    pipe.set_progress_bar_config(disable=True)
    shape = {"width": size, "height": size, "guidance_scale": SCALE}
    image = pipe(
        prompt=prompt,
        num_inference_steps=STEPS,
        generator=torch.Generator().manual_seed(SEED),
        **{**shape, **arguments},
    ).images[0]
    return np.asarray(image).astype(int)


def theirs_again(
    parts: dict[str, Any], first: np.ndarray, prompt: str = "a cat", **arguments: Any
) -> np.ndarray:
    """What diffusers' image-to-image makes of a picture twice as large: half of six steps, seed 3.

    ``parts``: of a pipeline; ``arguments``: the pipeline's.
    """
    pipe = StableDiffusionImg2ImgPipeline(**parts, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    height, width = first.shape[:2]
    enlarged = Image.fromarray(first.astype(np.uint8)).resize(
        (2 * width, 2 * height), Image.Resampling.LANCZOS
    )
    image = pipe(
        prompt,
        image=enlarged,
        generator=torch.Generator().manual_seed(SEED),
        **{"strength": 0.5, "num_inference_steps": 6, "guidance_scale": SCALE, **arguments},
    ).images[0]
    return np.asarray(image).astype(int)


def give_levels(scheduler: Any, other: Any) -> None:
    """Let a scheduler that is spaced in time alone go over the noise levels of another."""
    spaced = scheduler.set_timesteps

    def set_timesteps(steps: int, device: Any = None) -> None:
        spaced(steps, device)
        other.set_timesteps(steps, device)
        scheduler.sigmas, scheduler.timesteps = other.sigmas, other.timesteps

    scheduler.set_timesteps = set_timesteps


def ours(
    root: Path,
    base: str = "base",
    size: int | tuple[int, int] | None = None,
    exact: bool = True,
    **fields: Any,
) -> np.ndarray:
    """What the engine makes of a preset of ``fields`` from the models and images in ``root``.

    ``size``: the edge, or width and height; the base's own when left out.
    """
    sampler = {"steps": STEPS, "scheduler": "ddim", "seed": SEED}
    sampler["width"], sampler["height"] = size if isinstance(size, tuple) else (size, size)
    return made(root, {"base": base, "sampler": sampler, **fields}, exact)


def made(root: Path, preset: dict[str, Any], exact: bool = True) -> np.ndarray:
    """The first picture of a whole preset."""
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root], exact=exact)
    done = next(event for event in engine.generate(validate(preset)) if isinstance(event, Done))
    return np.asarray(done.image).astype(int)


def difference(one: np.ndarray, other: np.ndarray) -> int:
    """The largest difference of a pixel, of 255."""
    return int(np.abs(one - other).max())
