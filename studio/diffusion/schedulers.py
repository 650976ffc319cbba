"""From a record of the scheduler table to diffusers' own class, its time steps set."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import diffusers
import numpy as np
import torch
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.schedulers.scheduling_flow_match_heun_discrete import FlowMatchHeunDiscreteScheduler
from diffusers.schedulers.scheduling_flow_match_lcm import FlowMatchLCMScheduler
from diffusers.schedulers.scheduling_k_dpm_2_ancestral_discrete import (
    KDPM2AncestralDiscreteScheduler,
)
from diffusers.schedulers.scheduling_k_dpm_2_discrete import KDPM2DiscreteScheduler
from diffusers.schedulers.scheduling_lms_discrete import LMSDiscreteScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler
from torch import Tensor

from studio.diffusion.noise_table import of_size
from studio.diffusion.times import FLOW, check, custom_times, flow_shift, is_flow
from studio.errors import IncompatibleModels
from studio.extensions import placed
from studio.preset import Sampler
from studio.preset.noise_schedules import NOISE_SCHEDULES

# What describes the noise of a base. Nothing else of its config reaches another scheduler.
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
# Where a config says nothing: one noise table for all, though their own defaults differ.
_NOISE = {"beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear"}


def make_scheduler(name: str, config: Mapping[str, Any], schedule: str = "automatic") -> Any:
    """A fresh scheduler of diffusers with the noise table of ``config``.

    ``config`` is a pipeline's scheduler config; only what describes the noise is taken from it,
    so that one scheduler's solver settings never reach another.

    Raises:
        IncompatibleModels: it does not fit what the base predicts, its noise or ``schedule``.
    """
    kind = check(Sampler(scheduler=name, schedule=schedule, steps=1), config)
    chosen = NOISE_SCHEDULES[schedule].settings
    if is_flow(config):
        return _make_flow(kind.flow, {**kind.flow_settings, **chosen}, config)
    made = _class(kind.kind)
    known = inspect.signature(made.__init__).parameters
    if kind.by_sigma and not chosen.keys() <= known.keys():
        made = _class(kind.by_sigma)
        known = inspect.signature(made.__init__).parameters
    given = {k: config[k] for k in _SHARED if config.get(k) is not None}
    settings = {k: v for k, v in {**_NOISE, **given}.items() if k in known}
    if config.get("rescale_betas_zero_snr") and "rescale_betas_zero_snr" not in known:
        raise IncompatibleModels(
            f"{name!r} knows no noise that reaches zero signal, as this base was trained with",
            field="sampler.scheduler",
        )
    settings |= {k: v for k, v in chosen.items() if k in known}
    for fixed in ("clip_sample", "thresholding"):
        if fixed in known:
            settings[fixed] = False
    if "skip_prk_steps" in known:
        settings["skip_prk_steps"] = True
    return made(**{**settings, **kind.settings})


def scheduler_for(
    sampler: Sampler, config: Mapping[str, Any], device: Any = "cpu", family: str = ""
) -> Any:
    """The preset's scheduler for a base, its time steps set.

    Args:
        config: the base's scheduler config.
        family: the base's, for noise schedules that are made for one.

    Raises:
        BadPreset, IncompatibleModels: what does not fit the base; names the field.
    """
    check(sampler, config, family)
    config = of_size(config, sampler)
    scheduler = make_scheduler(sampler.scheduler, config, sampler.schedule)
    custom = custom_times(sampler, config, family)
    if custom is None:
        scheduler.set_timesteps(sampler.steps, device=device)
    else:
        scheduler.set_timesteps(timesteps=custom, device=device)
    return scheduler


def first_evaluation(scheduler: Any, step: int) -> int:
    """The index among the scheduler's time steps at which ``step`` begins."""
    return step * scheduler.order


def begin(scheduler: Any, evaluation: int) -> None:
    """Let a fresh scheduler start at one of its time steps instead of the first."""
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(evaluation)


def evaluations(
    sampler: Sampler, config: Mapping[str, Any], first: int, family: str = ""
) -> np.ndarray:
    """The time step of every evaluation, asked of the scheduler itself."""
    scheduler = scheduler_for(sampler, config, family=family)
    start = first_evaluation(scheduler, first)
    begin(scheduler, start)
    return scheduler.timesteps[start:].double().numpy()


def _class(name: str) -> Any:
    """A class by its name in diffusers, or by ``module:Class``."""
    return placed(name) if ":" in name else getattr(diffusers, name)


def _make_flow(name: str, settings: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """A scheduler over ``z = (1 − σ)·x₀ + σ·ε``, with the base's shift towards noise."""
    made, shift = _class(name), flow_shift(config)
    known = inspect.signature(made.__init__).parameters
    own: dict[str, Any] = {"num_train_timesteps": int(config.get("num_train_timesteps") or 1000)}
    own["shift" if "shift" in known else "flow_shift"] = shift
    if "prediction_type" in known:
        return made(**own, prediction_type=FLOW, **settings)
    euler = issubclass(made, FlowEuler) and bool(config.get("own_sigmas"))
    if euler:
        own["shift_terminal"] = config.get("shift_terminal")
    scheduler = made(**own, **settings)
    if euler:
        scheduler.own_sigmas = True
    scheduler.register_to_config(prediction_type=FLOW)
    return scheduler


# -- diffusers' classes, where a run needs a little more of them -----------------------------


class _Flow:
    """The calls that diffusers' other schedulers have, for its schedulers along a flow."""

    init_noise_sigma = 1.0
    sigmas: Tensor
    timesteps: Tensor

    def scale_model_input(self, sample: Tensor, timestep: Any = None) -> Tensor:
        """The latent as it is: it holds no more noise than a network sees."""
        return sample

    def add_noise(self, original: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """``(1 − σ)·x₀ + σ·ε`` at the next step, or at ``timesteps`` before the first."""
        places = (getattr(self, name, None) for name in ("step_index", "begin_index"))
        place = next((one for one in places if one is not None), None)
        if place is None:
            place = int((self.timesteps == timesteps[0]).nonzero()[0])
        sigma = self.sigmas[place].to(original)
        return sigma * noise + (1.0 - sigma) * original


class FlowEuler(_Flow, FlowMatchEulerDiscreteScheduler):
    """Euler along a flow.

    ``own_sigmas``: σ are those that diffusers' pipelines of some families begin with, even from 1 to
    1/steps, instead of the scheduler's.
    """

    own_sigmas = False

    def set_timesteps(
        self, num_inference_steps: int | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """As diffusers', from the pipelines' σ where they have their own."""
        if self.own_sigmas and num_inference_steps and kwargs.get("sigmas") is None:
            kwargs["sigmas"] = np.linspace(1.0, 1 / num_inference_steps, num_inference_steps)
        super().set_timesteps(num_inference_steps, *args, **kwargs)

    def stretch_shift_to_terminal(self, t: Any) -> Any:
        """As diffusers'; one step alone has nothing to stretch."""
        return super().stretch_shift_to_terminal(t) if len(t) > 1 else t


class FlowHeun(_Flow, FlowMatchHeunDiscreteScheduler):
    """Heun along a flow."""


class FlowLcm(_Flow, FlowMatchLCMScheduler):
    """A consistency model's steps along a flow."""


class Lms(LMSDiscreteScheduler):
    """LMS that, started in the middle, begins with the order of what it has seen."""

    def step(self, *args: Any, order: int = 4, **kwargs: Any) -> Any:
        """diffusers' step, its order bounded by the derivatives there are."""
        return super().step(*args, order=min(order, len(self.derivatives) + 1), **kwargs)


class _Unset:
    """A constructor that does not set every step of the table, a quarter of a second for nothing."""

    def set_timesteps(
        self,
        num_inference_steps: int,
        device: Any = None,
        num_train_timesteps: int | None = None,
    ) -> None:
        """As diffusers'; the table's length, which only a constructor gives, makes it two steps."""
        base: Any = super()
        base.set_timesteps(2 if num_train_timesteps else num_inference_steps, device)


class Dpm2(_Unset, KDPM2DiscreteScheduler):
    """DPM2."""


class Dpm2Ancestral(_Unset, KDPM2AncestralDiscreteScheduler):
    """DPM2 ancestral whose noise levels stay numbers where the first ones are very large.

    σ_down = σ′²/σ is found by a difference that rounding makes negative there; σ′ is then the
    geometric mean of σ and σ_down.
    """

    def set_timesteps(self, *args: Any, **kwargs: Any) -> None:
        """As diffusers', with those in place of what is not a number."""
        super().set_timesteps(*args, **kwargs)
        sigmas, following = self.sigmas, self.sigmas.roll(-1)
        # Two entries a step: (σ, σ) from the second on, of which the first is the step before's.
        self.sigmas_down = torch.where(
            self.sigmas_down.isnan(), following**2 / sigmas, self.sigmas_down
        )
        self.sigmas_interpol = torch.where(
            self.sigmas_interpol.isnan(), following, self.sigmas_interpol
        )
        lost = self.timesteps.isnan()
        self.timesteps = torch.where(lost, self.timesteps.roll(-1), self.timesteps)


class Plms(PNDMScheduler):
    """PNDM whose first step can be any: that one's end is the time step that runs twice."""

    def set_begin_index(self, begin_index: int = 0) -> None:
        """Start at the step ``begin_index`` of the full schedule."""
        steps = torch.as_tensor(np.asarray(self._timesteps)[::-1].copy()).to(self.timesteps)
        left = steps[begin_index:]
        self.timesteps = torch.cat([steps[:begin_index], left[:1], left[1:2], left[1:]])


class EulerAncestral(EulerDiscreteScheduler):
    """Euler ancestral over the noise levels of Euler's schedules, of which diffusers' own takes those
    that are spaced in time alone."""

    step: Any = diffusers.EulerAncestralDiscreteScheduler.step


class Ipndm(EulerDiscreteScheduler):
    """Improved pseudo numerical method (Zhang & Chen 2022) over σ: Adams-Bashforth to order 4."""

    _WEIGHTS = (
        (1.0,),
        (3 / 2, -1 / 2),
        (23 / 12, -16 / 12, 5 / 12),
        (55 / 24, -59 / 24, 37 / 24, -9 / 24),
    )

    def set_timesteps(self, *args: Any, **kwargs: Any) -> None:
        """As Euler's; what was seen before is forgotten."""
        super().set_timesteps(*args, **kwargs)
        self._derivatives: list[Tensor] = []

    def step(self, model_output: Any, timestep: Any, sample: Any, *args: Any, **kwargs: Any) -> Any:
        """Euler's derivative, extrapolated from up to three earlier ones."""
        euler, predicted = super().step(model_output, timestep, sample, return_dict=False)[:2]
        place = int(self.step_index or 0)  # of the next step
        now, then = self.sigmas[place - 1], self.sigmas[place]
        self._derivatives = [(sample - predicted) / now, *self._derivatives[:3]]
        if len(self._derivatives) == 1:
            return euler, predicted
        weights = self._WEIGHTS[len(self._derivatives) - 1]
        slope = sum(w * d for w, d in zip(weights, self._derivatives, strict=True))
        return sample + (then - now) * slope, predicted
