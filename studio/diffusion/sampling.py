"""Noise schedules and samplers over ``denoise(z, t)``. Knows no prompt, row or network."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
)
from torch import Tensor

from studio.diffusion import parameterisation
from studio.diffusion.parameterisation import FLOW, Prediction
from studio.errors import IncompatibleModels

Denoise = Callable[[int, Tensor, Tensor], Prediction | Tensor]

SCHEDULERS = {
    "dpm++": DPMSolverMultistepScheduler,
    "ddim": DDIMScheduler,
    "euler": EulerDiscreteScheduler,
    "euler_a": EulerAncestralDiscreteScheduler,
    "unipc": UniPCMultistepScheduler,
}
_SHARED = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "timestep_spacing",
    "steps_offset",
    "rescale_betas_zero_snr",
    "set_alpha_to_one",
)


@dataclass(frozen=True)
class Step:
    """After a step: its index from 0, the new latent, and the predicted result ``x₀``."""

    index: int
    latent: Tensor
    sample: Tensor


@dataclass(frozen=True)
class Picture:
    """A picture to start from (image-to-image), or to keep around what is painted (inpainting).

    ``latent``: finished, shape (batch, channels, h, w). ``first``: the first time step to run.
    ``mask``: (1, 1, h, w) in [0, 1], 1 where it is painted anew.
    """

    latent: Tensor
    first: int
    mask: Tensor | None = None

    def kept(self, latent: Tensor, noise: Tensor, scheduler: Any, following: Tensor) -> Tensor:
        """``latent`` with the picture, at the noise level of ``following``, where it is kept."""
        own = self.latent
        if len(following):
            own = scheduler.add_noise(own, noise, following)
        mask = 1.0 if self.mask is None else self.mask
        return (1 - mask) * own + mask * latent


def make_scheduler(name: str, config: Mapping[str, Any]) -> Any:
    """A fresh scheduler of diffusers with the noise table of ``config``.

    ``config`` is a pipeline's scheduler config; only what describes the noise is taken from it,
    so that one scheduler's solver settings never reach another.

    Raises:
        IncompatibleModels: a scheduler that cannot follow a flow, for a model that predicts one.
    """
    if config.get("prediction_type") == FLOW:
        return _make_flow_scheduler(name, config)
    kind = SCHEDULERS[name]
    known = inspect.signature(kind.__init__).parameters
    settings = {k: config[k] for k in _SHARED if k in known and config.get(k) is not None}
    if "clip_sample" in known:
        settings["clip_sample"] = False
    return kind(**settings)


class FlowEuler(FlowMatchEulerDiscreteScheduler):
    """diffusers' Euler steps along a flow, with the calls that its other schedulers have."""

    init_noise_sigma = 1.0

    def scale_model_input(self, sample: Tensor, timestep: Any = None) -> Tensor:
        """The latent as it is: it holds no more noise than a network sees."""
        return sample

    def add_noise(self, original: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """``(1 − σ)·x₀ + σ·ε`` at ``timesteps``."""
        return self.scale_noise(original, timesteps, noise)


def _make_flow_scheduler(name: str, config: Mapping[str, Any]) -> Any:
    """A scheduler over ``z = (1 − σ)·x₀ + σ·ε``, with the base's shift towards noise."""
    shift = float(config.get("flow_shift") or config.get("shift") or 1.0)
    steps = int(config.get("num_train_timesteps") or 1000)
    if name == "euler":
        scheduler = FlowEuler(num_train_timesteps=steps, shift=shift)
        scheduler.register_to_config(prediction_type=FLOW)
        return scheduler
    if name in ("dpm++", "unipc"):
        return SCHEDULERS[name](
            num_train_timesteps=steps, prediction_type=FLOW, use_flow_sigmas=True, flow_shift=shift
        )
    raise IncompatibleModels(
        f"{name!r} cannot follow a flow; for this base there is dpm++, euler, unipc",
        field="sampler.scheduler",
    )


def progress_of(scheduler: Any) -> list[float]:
    """For each step how much of the noise level is behind it: ``1 − (t + 1)/T`` in [0, 1)."""
    total = scheduler.config.num_train_timesteps
    return [min(1.0, max(0.0, 1.0 - (float(t) + 1.0) / total)) for t in scheduler.timesteps]


def noise_level(scheduler: Any, t: Tensor) -> tuple[Tensor, Tensor]:
    """``(α, σ)`` of the variance-preserving latent that a network sees at time step ``t``.

    Between two time steps of the table ``σ/α`` is interpolated, as Euler's schedulers do. Of a
    flow it is ``(1 − σ, σ)``.
    """
    if scheduler.config.prediction_type == FLOW:
        sigma = scheduler.sigmas[int((scheduler.timesteps == t).nonzero()[0])].cpu()
        return 1 - sigma, sigma
    table = scheduler.alphas_cumprod.double()
    place = min(max(float(t), 0.0), len(table) - 1.0)
    low, high = table[math.floor(place)], table[math.ceil(place)]
    if place.is_integer():
        return low.sqrt().float(), (1 - low).sqrt().float()
    ratios = [((1 - level) / level).sqrt() for level in (low, high)]
    ratio = torch.lerp(*ratios, place - math.floor(place))
    alpha = (1 + ratio**2).rsqrt()
    return alpha.float(), (ratio * alpha).float()


def initial_noise(
    shape: Sequence[int], generators: Sequence[torch.Generator], device: torch.device
) -> Tensor:
    """One unit Gaussian of ``shape`` (channels, height, width) per generator, float32.

    Drawn on the generators' own device (the CPU), so that a seed gives one image everywhere.
    """
    noise = [torch.randn((1, *shape), generator=g, device=g.device) for g in generators]
    return torch.cat(noise).to(device)


def sample(
    denoise: Denoise,
    noise: Tensor,
    scheduler: Any,
    generators: Sequence[torch.Generator],
    picture: Picture | None = None,
) -> Iterator[Step]:
    """Integrate from noise to image, yielding after every step.

    Args:
        denoise: ``(step index, z, t) → prediction`` in the scheduler's own parameterisation,
            where ``z`` is the variance-preserving latent of shape (batch, channels, h, w).
        noise: unit Gaussian of that shape.
        scheduler: from :func:`make_scheduler`, its time steps set.
        generators: one per image, for samplers that add noise.
        picture: what to start from instead of pure noise.
    """
    timesteps = scheduler.timesteps[picture.first if picture else 0 :]
    latent = _start(noise, scheduler, timesteps, picture)
    extra: dict[str, Any] = {}
    if "generator" in inspect.signature(scheduler.step).parameters:
        extra["generator"] = list(generators) if len(generators) > 1 else generators[0]
    for index, t in enumerate(timesteps):
        z = scheduler.scale_model_input(latent, t)
        told = denoise(index, z, t)
        output, renoise = (told, None) if isinstance(told, Tensor) else told
        level, kind = noise_level(scheduler, t), scheduler.config.prediction_type
        predicted = parameterisation.to_sample(output, z, *level, kind)
        put_back = None if renoise is None else _noise_put_back(scheduler, t)
        latent = scheduler.step(output, t, latent, return_dict=False, **extra)[0]
        if renoise is not None and put_back is not None:  # CFG++: α′·x₀(ε̂) + σ′·ε_0
            noises = (parameterisation.to_epsilon(x, z, *level, kind) for x in (renoise, output))
            latent = latent + put_back * torch.sub(*noises)
        if picture is not None and picture.mask is not None:
            latent = picture.kept(latent, noise, scheduler, timesteps[index + 1 : index + 2])
        yield Step(index, latent, predicted)


def _start(noise: Tensor, scheduler: Any, timesteps: Tensor, picture: Picture | None) -> Tensor:
    """The first latent: pure noise, or the picture at the noise level of the first step."""
    if picture is None:
        return noise * scheduler.init_noise_sigma
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(picture.first)
    if picture.first == 0 and picture.mask is not None:  # nothing of it is seen where it is white
        return noise * scheduler.init_noise_sigma
    return scheduler.add_noise(picture.latent, noise, timesteps[:1])


def _noise_put_back(scheduler: Any, t: Tensor) -> Tensor:
    """How much of the predicted noise a single-step sampler's next latent holds (``σ′``).

    Called before the step. What an ancestral sampler draws anew is not part of it.
    """
    if isinstance(scheduler, DDIMScheduler):
        before = int(t) - scheduler.config.num_train_timesteps // scheduler.num_inference_steps
        kept = scheduler.alphas_cumprod[before] if before >= 0 else scheduler.final_alpha_cumprod
        return (1 - kept).sqrt()
    if isinstance(scheduler, FlowEuler):
        return scheduler.sigmas[int((scheduler.timesteps == t).nonzero()[0]) + 1]
    now, then = (scheduler.sigmas[scheduler.step_index + k] for k in (0, 1))
    if isinstance(scheduler, EulerAncestralDiscreteScheduler):
        return then**2 / now  # σ_down: σ′² less the fresh noise's σ′²(σ² − σ′²)/σ²
    return then
