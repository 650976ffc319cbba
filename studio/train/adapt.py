"""What trains: the adaptation of a base that a training's method names."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from studio.train import methods
from studio.train.adaptation import Adaptation
from studio.train.base import Base, Projector
from studio.train.config import TrainConfig

__all__ = ["Adaptation", "adapt"]


def adapt(
    config: TrainConfig,
    base: Base,
    samples: Iterable[tuple[Tensor, Tensor]] = (),
    projector: Projector | None = None,
) -> Adaptation:
    """The adaptation of ``config.method``; changes ``base.network`` in place.

    Args:
        samples: noisy latents and times, for the concept network's calibrated constants.
        projector: for the visual encoder.
    """
    match config.method:
        case "concept":
            return methods.Concept(config, base, samples)
        case "dreambooth":
            return methods.DreamBooth(config, base)
        case "lora" | "lora+ti":
            return methods.LoRA(config, base)
        case "ti":
            return methods.Inversion(config, base)
        case "custom-diffusion":
            return methods.CustomDiffusion(config, base)
        case "oft":
            return methods.OFT(config, base)
        case "visual-encoder":
            return methods.VisualEncoder(config, base, projector)
