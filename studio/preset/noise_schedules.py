"""The table of noise schedules: where on the noise level a scheduler's steps lie. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.extensions import Table


@dataclass(frozen=True)
class NoiseSchedule:
    """One noise schedule.

    Args:
        title: what the page calls it.
        help: one line on what it does.
        settings: of the scheduler's class.
        points: by family, the time steps of ten steps that others are interpolated from.
        a1111, comfyui: its name there. ``also``: more names for the same.
    """

    title: str
    help: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    points: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    a1111: str = ""
    comfyui: str = ""
    also: tuple[str, ...] = ()


NOISE_SCHEDULES: Table[NoiseSchedule] = Table("schedule")  # as the field of a preset


def _add(name: str, title: str, help: str, *settings: str, **more: Any) -> None:
    """Register a schedule; ``settings`` are flags of the scheduler's class."""
    flags = {**dict.fromkeys(settings, True), **more.pop("settings", {})}
    NOISE_SCHEDULES.register(name, NoiseSchedule(title, help, flags, **more))


_add("automatic", "Automatic", "The base model's own.", a1111="Automatic")
_add(
    "normal",
    "Normal",
    "Even steps in time, from the first to the last.",
    settings={"timestep_spacing": "linspace"},
    a1111="Normal",
    comfyui="normal",
    also=("uniform", "linspace"),
)
_add(
    "trailing",
    "Trailing",
    "Even steps in time that begin at pure noise and leave out the last.",
    settings={"timestep_spacing": "trailing"},
    a1111="Simple",
    comfyui="simple",
)
_add(
    "sgm_uniform",
    "SGM uniform",
    "Even steps that begin at pure noise; in diffusers the same as trailing.",
    settings={"timestep_spacing": "trailing"},
    a1111="SGM Uniform",
    comfyui="sgm_uniform",
)
_add(
    "karras",
    "Karras",
    "Closer steps towards the finished picture (Karras et al. 2022, ρ = 7).",
    "use_karras_sigmas",
    a1111="Karras",
    comfyui="karras",
)
_add(
    "exponential",
    "Exponential",
    "Even steps in log σ.",
    "use_exponential_sigmas",
    a1111="Exponential",
    comfyui="exponential",
    also=("polyexponential",),
)
_add(
    "beta",
    "Beta",
    "Closer steps at both ends (quantiles of Beta(0.6, 0.6)).",
    "use_beta_sigmas",
    a1111="Beta",
    comfyui="beta",
)
_add("lu", "Lu", "Even steps in the log signal-to-noise ratio (Lu et al. 2022).", "use_lu_lambdas")
_add(
    "align_your_steps",
    "Align your steps",
    "Steps optimised for a family (Sabour et al. 2024): for 10 steps or so.",
    points={
        "sd1": (999, 850, 736, 645, 545, 455, 343, 233, 124, 24),
        "sdxl": (999, 845, 730, 587, 443, 310, 193, 116, 53, 13),
    },
    a1111="Align Your Steps",
    also=("ays",),
)
