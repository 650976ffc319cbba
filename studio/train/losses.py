"""Losses of diffusion training and of ACCORD on tensors. Knows no model, no prompt and no disk.

Notation: ``x_t = √ᾱ_t·x_0 + √(1−ᾱ_t)·ε``; ``μ_c = U_θ(x_t, c, t)`` is the mean of ``x_{t−1}`` that
a prediction under condition ``c`` stands for. Conditions: ``pg`` target and general text together,
``p`` the target alone, ``g`` the general text alone, ``∅`` the empty text, ``s`` the superclass.
Time steps count from 0, as diffusers counts them: index ``t`` is step ``t + 1`` of the papers.
Squared norms are sums over a latent's elements, since they are exponents of Gaussians (Eq. 10); as
means, which an option keeps, the papers' weights do next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from studio.diffusion import parameterisation

PREDICTIONS = ("epsilon", "v_prediction", "sample")
NORMS = ("sum", "mean")


@dataclass(frozen=True)
class Means:
    """The predicted means of ``x_{t−1}`` under ACCORD's four conditions, each (batch, …)."""

    pg: Tensor
    p: Tensor
    g: Tensor
    none: Tensor


def add_noise(clean: Tensor, noise: Tensor, levels: Tensor) -> Tensor:
    """``x_t = √ᾱ·x_0 + √(1−ᾱ)·ε`` for ``levels`` = ᾱ_t, shape (batch,)."""
    return _like(levels.sqrt(), clean) * clean + _like((1 - levels).sqrt(), clean) * noise


def target(clean: Tensor, noise: Tensor, levels: Tensor, prediction: str) -> Tensor:
    """What a network of this parameterisation should answer: ε, ``v = √ᾱ·ε − √(1−ᾱ)·x_0``, or x_0."""
    _check(prediction)
    alpha, sigma = _like(levels.sqrt(), clean), _like((1 - levels).sqrt(), clean)
    return parameterisation.target(clean, noise, alpha, sigma, prediction)


def mse(output: Tensor, wanted: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error per sample, shape (batch,), in float32 or better.

    Args:
        weight: what each place counts, (batch, 1, h, w), 0 to 1; the mean is over what counts.
    """
    dtype = torch.promote_types(output.dtype, torch.float32)
    errors = (output.to(dtype) - wanted.to(dtype)).square()
    if weight is None:
        return errors.flatten(1).mean(1)
    weight = weight.to(errors).expand_as(errors)
    return (weight * errors).flatten(1).sum(1) / weight.flatten(1).sum(1)


def posterior_mean(
    output: Tensor, x_t: Tensor, times: Tensor, levels: Tensor, prediction: str
) -> Tensor:
    """``μ_θ(x_t, t)``, the mean of the DDPM posterior at the predicted ``x_0`` (DDPM, Eq. 7).

    Args:
        output: the network's answer, shape (batch, channels, h, w).
        x_t: the noisy latent, same shape.
        times: integers in [0, T), shape (batch,).
        levels: the schedule ᾱ, shape (T,).
        prediction: the network's parameterisation.
    """
    _check(prediction)
    now, before = levels[times], _before(levels, times)
    alpha = now / before
    beta = 1 - alpha
    if prediction == "epsilon":  # the same mean without dividing by a vanishing ᾱ (DDPM, Eq. 11)
        scale = _like(beta / (1 - now).sqrt(), x_t)
        return (x_t - scale * output) / _like(alpha.sqrt(), x_t)
    level = _like(now.sqrt(), x_t), _like((1 - now).sqrt(), x_t)
    x_0 = parameterisation.to_sample(output, x_t, *level, prediction)
    of_sample = before.sqrt() * beta / (1 - now)
    of_noisy = alpha.sqrt() * (1 - before) / (1 - now)
    return _like(of_sample, x_t) * x_0 + _like(of_noisy, x_t) * x_t


def posterior_variance(times: Tensor, levels: Tensor) -> Tensor:
    """``σ_t² = β_t·(1−ᾱ_{t−1})/(1−ᾱ_t)``, shape (batch,).

    At the first step it would be zero; as is usual, the second step's value stands in there.
    """
    times = times.clamp(min=1)
    now, before = levels[times], _before(levels, times)
    return (1 - now / before) * (1 - before) / (1 - now)


def squared_norm(difference: Tensor, norm: str = "sum") -> Tensor:
    """``‖·‖²`` of each sample (batch, …): the sum over its elements, or their ``mean``."""
    flat = difference.square().flatten(1)
    if norm not in NORMS:
        raise ValueError(f"norm {norm!r}; known are {', '.join(NORMS)}")
    return flat.sum(1) if norm == "sum" else flat.mean(1)


def dependence_change(means: Means, variance: Tensor, norm: str = "sum") -> Tensor:
    """How the dependence of target and general text changes in one denoising step (ACCORD, Eq. 8).

        D_t = [‖μ_pg − μ_p‖² + ‖μ_pg − sg(μ_g)‖² − ‖μ_pg − sg(μ_∅)‖²] / (2σ_t²)

    It is ``log r(c_p, c_g | x_{t−1}) − log r(c_p, c_g | x_t)`` for ``x_{t−1} = μ_pg``: with Eq. 20,
    ``log p(ĉ|x_{t−1}) − log p(ĉ|x_t) = (‖μ_pg − μ_∅‖² − ‖μ_pg − μ_ĉ‖²)/(2σ_t²)``, once for
    ``ĉ = (c_p, c_g)``, whose own distance is zero, less once each for ``c_p`` and ``c_g``. The
    gradients of ``μ_g`` and ``μ_∅`` (of these only) are stopped, so that the prior's own knowledge
    is left alone.

    Args:
        norm: ``sum``, as Eq. 10 has it, or ``mean`` over a latent's elements.

    Returns:
        shape (batch,), of either sign.
    """
    near_p = squared_norm(means.pg - means.p, norm)
    near_g = squared_norm(means.pg - means.g.detach(), norm)
    near_none = squared_norm(means.pg - means.none.detach(), norm)
    return (near_p + near_g - near_none) / (2 * variance)


def dd_loss(means: Means, variance: Tensor, times: Tensor, steps: int, norm: str = "sum") -> Tensor:
    """Denoising Decouple Loss ``(t/T)·|D_t|`` (ACCORD, Eq. 11, one t per sample), shape (batch,).

    Args:
        times: integers in [0, T).
        steps: T, the schedule's number of steps.
    """
    return (times + 1).to(variance) / steps * dependence_change(means, variance, norm).abs()


def pd_loss(f_p: Tensor, f_s: Tensor, f_g: Tensor, target: float | None = None) -> Tensor:
    """Prior Decouple Loss ``E_{c_g} |cos(f_p, f_g) − cos(f_s, f_g)|`` (ACCORD, Eq. 14), a scalar.

    Args:
        f_p: CLIP projections of the targets, shape (targets, width).
        f_s: of their superclass, shape (1, width) or (targets, width).
        f_g: of the general texts, shape (texts, width); the mean runs over all pairs.
        target: in place of ``cos(f_s, f_g)``, in [−1, 1] (ACCORD, Table 6 tries 0 and −1).
    """
    wanted = _cosines(f_s, f_g) if target is None else target
    return (_cosines(f_p, f_g) - wanted).abs().mean()


def denoising_discrepancy(change: Tensor, times: Tensor, steps: int, power: float = 1.0) -> Tensor:
    """Estimate of Eq. 5's first term through its bound Σ_t |D_t| (Eq. 7): ``mean(|D_t| / P(t))``.

    Args:
        change: ``D_t`` of samples, shape (batch,).
        times: their t, integers in [0, T), drawn as ``⌊T·u^power⌋`` of even ``u`` in [0, 1), so
            that ``P(t) = ((t+1)/T)^(1/power) − (t/T)^(1/power)``; shape (batch,).
        steps: T.
        power: 1 where they were drawn evenly.
    """
    place = times.to(change) / steps
    drawn = (place + 1 / steps).pow(1 / power) - place.pow(1 / power)
    return (change.detach().abs() / drawn).mean()


def prior_discrepancy(f_p: Tensor, f_s: Tensor, f_g: Tensor) -> Tensor:
    """Eq. 5's second term as the paper plots it (Fig. 5): the gap of the cosines, no gradient."""
    with torch.no_grad():
        return pd_loss(f_p, f_s, f_g)


def _cosines(left: Tensor, right: Tensor) -> Tensor:
    unit = torch.nn.functional.normalize
    return unit(left, dim=-1) @ unit(right, dim=-1).T


def _before(levels: Tensor, times: Tensor) -> Tensor:
    """ᾱ_{t−1}, with ᾱ = 1 before the first step."""
    return torch.where(times > 0, levels[(times - 1).clamp(min=0)], torch.ones_like(levels[times]))


def _like(values: Tensor, latent: Tensor) -> Tensor:
    """(batch,) to broadcast against (batch, channels, h, w)."""
    return values.to(latent).view(-1, *[1] * (latent.ndim - 1))


def _check(prediction: str) -> None:
    if prediction not in PREDICTIONS:
        raise ValueError(f"prediction {prediction!r}; known are {', '.join(PREDICTIONS)}")
