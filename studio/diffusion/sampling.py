"""Noise schedules and samplers over ``denoise(z, t)``. Knows no prompt, row or network."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_euler_ancestral_discrete import EulerAncestralDiscreteScheduler
from torch import Tensor

from studio.diffusion import parameterisation
from studio.diffusion.noise import initial_noise
from studio.diffusion.parameterisation import FLOW, Prediction
from studio.diffusion.schedulers import FlowEuler, begin, make_scheduler
from studio.preset.schedulers import SCHEDULERS

__all__ = [
    "FLOW",
    "SCHEDULERS",
    "Denoise",
    "FlowEuler",
    "Picture",
    "Prediction",
    "Step",
    "initial_noise",
    "make_scheduler",
    "noise_level",
    "noise_levels",
    "progress_of",
    "sample",
]

Denoise = Callable[[int, Tensor, Tensor], Prediction | Tensor]


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
    ``mask``: (1, 1, h, w) in [0, 1], 1 where it is painted anew. ``begun``: of the same shape as
    ``latent``, what the first step begins with in its place; what is kept is ``latent`` all the same.
    ``soft``: a grey of the mask says how strongly its place is changed, not how much of it is mixed.
    """

    latent: Tensor
    first: int
    mask: Tensor | None = None
    begun: Tensor | None = None
    soft: bool = False

    def joined(self, done: int, steps: int) -> Tensor | float:
        """How much of each place is painted once ``done`` of ``steps`` steps are behind: the mask.

        A soft one (Levin & Fried 2023, Differential Diffusion, arXiv 2306.00950): a place of strength
        ``m`` is painted in the last ``⌊m·n⌋`` of ``n`` steps, as image-to-image of that strength would,
        and is the picture at each step's noise level before. So step ``i`` of theirs begins with the
        picture where ``1 − m > i/n``. What joins no step is the picture's own after the last one too,
        which theirs leaves to the last: black is kept.
        """
        if self.mask is None:
            return 1.0
        if not self.soft:
            return self.mask
        least = max(1, steps - done) - 1e-3  # a mean of white pixels may round below white
        return (self.mask * steps >= least).to(self.mask)

    def kept(
        self, latent: Tensor, noise: Tensor, scheduler: Any, timesteps: Tensor, done: int
    ) -> Tensor:
        """``latent`` with the picture, at the noise level of the next step, where it is kept.

        Args:
            timesteps: of all steps that run, of which ``done`` are behind.
        """
        own, following = self.latent, timesteps[done : done + 1]
        if len(following) and self._graded() and hasattr(scheduler, "sigmas_interpol"):
            # Their own noises to the next whole step, where the next evaluation is a half one.
            own = own + noise * _ratio(scheduler, scheduler.step_index).to(own)
        elif len(following):
            own = scheduler.add_noise(own, noise, following)
        mask = self.joined(done, len(timesteps))
        return (1 - mask) * own + mask * latent

    def _graded(self) -> bool:
        """Whether greys say how strongly a place is changed; a black and white mask is as without."""
        return self.soft and self.mask is not None and bool(((self.mask % 1) > 0).any())


def progress_of(scheduler: Any) -> list[float]:
    """For each step how much of the noise level is behind it: ``1 − (t + 1)/T`` in [0, 1)."""
    total = scheduler.config.num_train_timesteps
    return [min(1.0, max(0.0, 1.0 - (float(t) + 1.0) / total)) for t in scheduler.timesteps]


def noise_level(scheduler: Any, t: Tensor) -> tuple[Tensor, Tensor]:
    """``(α, σ)`` of the variance-preserving latent that a network sees at time step ``t``.

    Of a scheduler that keeps ``σ/α`` for its steps it is that one, wherever ``t`` was rounded to;
    of others the table's, interpolated in ``σ/α`` between two time steps. Of a flow it is
    ``(1 − σ, σ)``. Two numbers in float64: a rounded σ is divided by where it is smallest.
    """
    place = _place(scheduler, t)
    if scheduler.config.prediction_type == FLOW:
        sigma = scheduler.sigmas[place].double().cpu()
        return 1 - sigma, sigma
    if place is not None and hasattr(scheduler, "sigmas"):
        ratio = _ratio(scheduler, place).double()
        alpha = (1 + ratio**2).rsqrt()
        return alpha, ratio * alpha
    table = scheduler.alphas_cumprod.double()
    at = min(max(float(t), 0.0), len(table) - 1.0)
    low, high = table[math.floor(at)], table[math.ceil(at)]
    if at.is_integer():
        return low.sqrt(), (1 - low).sqrt()
    least, most = (((1 - level) / level).sqrt() for level in (low, high))
    ratio = torch.lerp(least, most, at - math.floor(at))
    alpha = (1 + ratio**2).rsqrt()
    return alpha, ratio * alpha


def noise_levels(scheduler: Any, first: int = 0) -> list[tuple[Tensor, Tensor]]:
    """:func:`noise_level` of every evaluation from ``first`` on, of a scheduler that made no step yet."""
    begun = copy.deepcopy(scheduler)
    begin(begun, first)
    found = []
    for number, t in enumerate(begun.timesteps[first:]):
        if hasattr(begun, "sigmas"):  # of equal time steps each has its own
            begun._begin_index = first + number
        if hasattr(begun, "sigmas_interpol"):  # every second evaluation lies between two steps
            begun.sample = t if number % 2 else None
        found.append(noise_level(begun, t))
    return found


def _place(scheduler: Any, t: Tensor) -> int | None:
    """The index of ``t`` among the scheduler's time steps, of two equal ones the current."""
    places = (scheduler.timesteps == t).nonzero().flatten().tolist()
    current = getattr(scheduler, "step_index", None)
    if current is None:
        current = getattr(scheduler, "begin_index", None)
    return current if current in places else next(iter(places), None)


def _ratio(scheduler: Any, place: int) -> Tensor:
    """``σ/α`` at a step; between two steps where a scheduler of second order looks there."""
    if hasattr(scheduler, "sigmas_interpol") and not scheduler.state_in_first_order:
        ancestral = hasattr(scheduler, "sigmas_up")
        return scheduler.sigmas_interpol[place - 1 if ancestral else place].cpu()
    return scheduler.sigmas[place].cpu()


def sample(
    denoise: Denoise,
    noise: Tensor,
    scheduler: Any,
    generators: Sequence[torch.Generator],
    picture: Picture | None = None,
    eta: float | None = None,
) -> Iterator[Step]:
    """Integrate from noise to image, yielding after every step.

    Args:
        denoise: ``(step index, z, t) → prediction`` in the scheduler's own parameterisation,
            where ``z`` is the variance-preserving latent of shape (batch, channels, h, w).
        noise: unit Gaussian of that shape.
        scheduler: from :func:`make_scheduler`, its time steps set.
        generators: one per image, for samplers that add noise.
        picture: what to start from instead of pure noise.
        eta: how much noise a scheduler adds that lets one choose; ``None`` for its own amount.
    """
    first = picture.first if picture else 0
    begin(
        scheduler, first
    )  # by time step it would begin late where rounding makes two of them equal
    timesteps = scheduler.timesteps[first:]
    latent = _start(noise, scheduler, timesteps, picture)
    extra: dict[str, Any] = {} if eta is None else {"eta": eta}
    if "generator" in inspect.signature(scheduler.step).parameters:
        extra["generator"] = list(generators) if len(generators) > 1 else generators[0]
    for index, t in enumerate(timesteps):
        z = scheduler.scale_model_input(latent, t)
        said = denoise(index, z, t)
        output, renoise = (said, None) if isinstance(said, Tensor) else said
        level, kind = noise_level(scheduler, t), scheduler.config.prediction_type
        predicted = parameterisation.to_sample(output, z, *level, kind)
        put_back = None if renoise is None else _noise_put_back(scheduler, t, eta or 0.0)
        latent = scheduler.step(output, t, latent, return_dict=False, **extra)[0]
        if renoise is not None and put_back is not None:  # CFG++: α′·x₀(ε̂) + σ′·ε_0
            noises = (parameterisation.to_epsilon(x, z, *level, kind) for x in (renoise, output))
            latent = latent + put_back * torch.sub(*noises)
        if picture is not None and picture.mask is not None:
            latent = picture.kept(latent, noise, scheduler, timesteps, index + 1)
        yield Step(index, latent, predicted)


def _start(noise: Tensor, scheduler: Any, timesteps: Tensor, picture: Picture | None) -> Tensor:
    """The first latent: pure noise, or the picture at the noise level of the first step."""
    if picture is None:
        return noise * scheduler.init_noise_sigma
    whole = picture.first == 0 and picture.mask is not None
    if whole and not picture.soft:  # nothing of it is seen where it is white
        return noise * scheduler.init_noise_sigma
    begun = picture.latent if picture.begun is None else picture.begun
    return scheduler.add_noise(begun, noise, timesteps[:1])


def _noise_put_back(scheduler: Any, t: Tensor, eta: float) -> Tensor:
    """How much of the predicted noise a single-step sampler's next latent holds (``σ′``).

    Called before the step. What is drawn anew (ancestral samplers, DDIM's ``eta``) is not part
    of it.
    """
    if isinstance(scheduler, DDIMScheduler):
        config: Any = scheduler.config
        before = int(t) - config.num_train_timesteps // scheduler.num_inference_steps
        kept = scheduler.alphas_cumprod[before] if before >= 0 else scheduler.final_alpha_cumprod
        now = scheduler.alphas_cumprod[int(t)]
        fresh = eta**2 * (1 - kept) / (1 - now) * (1 - now / kept)  # Song et al. 2021, Eq. 16
        return (1 - kept - fresh).clamp(min=0).sqrt()
    if isinstance(scheduler, FlowEuler):
        return scheduler.sigmas[int((scheduler.timesteps == t).nonzero()[0]) + 1]
    now, then = (scheduler.sigmas[scheduler.step_index + k] for k in (0, 1))
    if isinstance(scheduler, EulerAncestralDiscreteScheduler):
        return then**2 / now  # σ_down: σ′² less the fresh noise's σ′²(σ² − σ′²)/σ²
    return then
