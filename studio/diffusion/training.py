"""What a network was trained on, from a scheduler's config alone: no torch is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.diffusion.noise_table import FLOW, flow_shift, total_of

EPSILON = "epsilon"


@dataclass(frozen=True)
class Training:
    """What a network was trained to predict, and on which noise; from a scheduler's config.

    ``noise``: everything that decides which ``(α, σ)`` a time step means. ``shift``: of a flow, how
    far its training leant towards noise; a time step means the same noise under any shift.
    """

    prediction: str
    noise: tuple[tuple[str, object], ...]
    shift: float = 1.0

    @staticmethod
    def of(config: Mapping[str, Any]) -> Training:
        """Read a scheduler's config; what it leaves out has diffusers' own default."""
        prediction = str(config.get("prediction_type") or EPSILON)
        steps = ("num_train_timesteps", total_of(config))
        if prediction == FLOW:
            shift = float(config.get("trained_shift") or flow_shift(config))
            return Training(prediction, (("flow", True), steps), shift)
        zero = ("rescale_betas_zero_snr", bool(config.get("rescale_betas_zero_snr")))
        if config.get("trained_betas") is not None:
            betas = tuple(float(beta) for beta in config["trained_betas"])
            return Training(prediction, (("flow", False), ("trained_betas", betas), zero))
        return Training(
            prediction,
            (
                ("flow", False),
                ("beta_schedule", str(config.get("beta_schedule") or "linear")),
                ("beta_start", float(config.get("beta_start") or 0.0001)),
                ("beta_end", float(config.get("beta_end") or 0.02)),
                steps,
                zero,
            ),
        )

    @property
    def reaches_zero(self) -> bool:
        """Whether its last time step is pure noise, ``α = 0``, where conversions end."""
        return ("rescale_betas_zero_snr", True) in self.noise

    def other_noise(self, other: Training) -> str:
        """What differs in the noise, by name; "" where a time step means the same to both."""
        mine, theirs = dict(self.noise), dict(other.noise)
        return next((n for n in {**mine, **theirs} if mine.get(n) != theirs.get(n)), "")

    def difference(self, other: Training) -> str:
        """What keeps weights trained so and so from being interpolated, by name; "" for nothing."""
        if self.prediction != other.prediction:
            return "prediction_type"
        return self.other_noise(other) or ("flow_shift" if self.shift != other.shift else "")
