"""What networks predict of a noisy latent, and the ways from one prediction to another.

A latent ``z = α·x₀ + σ·ε`` holds the finished latent ``x₀`` and unit noise ``ε``: variance preserving,
``α² + σ² = 1``, or along a flow, ``α = 1 − σ``. A network answers ``y``:

    epsilon          y = ε
    sample           y = x₀
    v_prediction     y = α·ε − σ·x₀      (Salimans and Ho 2022, App. D), variance preserving alone
    flow_prediction  y = ε − x₀          (flow matching), along a flow alone

Each is linear in ``x₀`` and ``ε``, so that with ``z`` known ``y`` gives both.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from studio.diffusion.noise_table import FLOW
from studio.diffusion.training import EPSILON

SAMPLE, V = "sample", "v_prediction"
PREDICTIONS = (EPSILON, V, SAMPLE, FLOW)


class Prediction(NamedTuple):
    """What a denoiser says of a noisy latent, in the scheduler's parameterisation.

    ``renoise``: the prediction whose noise a step puts back, where that is not ``output``'s own
    (CFG++, Chung et al. 2024).
    """

    output: Tensor
    renoise: Tensor | None = None


def to_epsilon(output: Tensor, z: Tensor, alpha: Tensor, sigma: Tensor, prediction: str) -> Tensor:
    """The noise in ``z`` by a network's output.

        ε = σz + αv = (z − αx₀)/σ = z + α(ε − x₀)

    The first is ``σ(αx₀ + σε) + α(αε − σx₀) = (σ² + α²)ε``; the last ``αx₀ + σε + αε − αx₀``, with
    ``σ + α = 1`` along a flow.

    Args:
        output, z: shape (batch, channels, height, width).
        alpha, sigma: of ``z``'s noise level; they broadcast against it.
        prediction: one of :data:`PREDICTIONS`.

    Raises:
        ValueError: another prediction.
    """
    match prediction:
        case "epsilon":
            return output
        case "v_prediction":
            return sigma * z + alpha * output
        case "sample":
            return (z - alpha * output) / sigma
        case "flow_prediction":
            return z + alpha * output
    raise _unknown(prediction)


def from_epsilon(eps: Tensor, z: Tensor, alpha: Tensor, sigma: Tensor, prediction: str) -> Tensor:
    """The inverse of :func:`to_epsilon`: ``v = (ε − σz)/α``, ``x₀ = (z − σε)/α``, ``(ε − z)/α``.

    Not defined where nothing is left of the signal, at ``α = 0``.
    """
    match prediction:
        case "epsilon":
            return eps
        case "v_prediction":
            return (eps - sigma * z) / alpha
        case "sample":
            return (z - sigma * eps) / alpha
        case "flow_prediction":
            return (eps - z) / alpha
    raise _unknown(prediction)


def to_sample(output: Tensor, z: Tensor, alpha: Tensor, sigma: Tensor, prediction: str) -> Tensor:
    """The finished latent ``x₀`` by a network's output: ``αz − σv``, ``(z − σε)/α``, ``z − σ(ε − x₀)``.

    The first is ``α(αx₀ + σε) − σ(αε − σx₀) = (α² + σ²)x₀``.
    """
    match prediction:
        case "epsilon":
            return from_epsilon(output, z, alpha, sigma, SAMPLE)
        case "v_prediction":
            return alpha * z - sigma * output
        case "sample":
            return output
        case "flow_prediction":
            return z - sigma * output
    raise _unknown(prediction)


def sample_scale(alpha: Tensor, sigma: Tensor, prediction: str) -> Tensor:
    """What a difference of two outputs is multiplied by to be one of finished latents.

    It is ``∂x₀/∂y`` at fixed ``z``, by :func:`to_sample`: ``−σ/α``, ``−σ``, 1, ``−σ``.
    """
    match prediction:
        case "epsilon":
            return -sigma / alpha
        case "v_prediction" | "flow_prediction":
            return -sigma
        case "sample":
            return torch.ones_like(alpha)
    raise _unknown(prediction)


def noise_scale(alpha: Tensor, sigma: Tensor, prediction: str) -> Tensor:
    """What a difference of two outputs is multiplied by to be one of noises.

    It is ``∂ε/∂y`` at fixed ``z``, by :func:`to_epsilon`: 1, ``α``, ``−α/σ``, ``α``.
    """
    match prediction:
        case "epsilon":
            return torch.ones_like(alpha)
        case "v_prediction" | "flow_prediction":
            return alpha
        case "sample":
            return -alpha / sigma
    raise _unknown(prediction)


def target(clean: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor, prediction: str) -> Tensor:
    """What a network should answer for ``α·clean + σ·noise``; the table above."""
    match prediction:
        case "epsilon":
            return noise
        case "v_prediction":
            return alpha * noise - sigma * clean
        case "sample":
            return clean
        case "flow_prediction":
            return noise - clean
    raise _unknown(prediction)


def _unknown(prediction: str) -> ValueError:
    return ValueError(f"prediction {prediction!r}; known are {', '.join(PREDICTIONS)}")
