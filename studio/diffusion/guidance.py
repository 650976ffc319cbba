"""The algebra of guidance on tensors. Knows no model, no prompt and no disk.

Notation: as in :mod:`studio.diffusion.parameterisation`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from studio.diffusion.parameterisation import Prediction, sample_scale, to_sample
from studio.extensions import resolved
from studio.preset.refinement import Apply
from studio.preset.refinements import Refine


def combine(predictions: Tensor, coefficients: Sequence[float]) -> Tensor:
    """``ε̂ = Σ_j a_j·ε_j`` (GCFG, Eq. 3), summed in float32 whatever the networks run in.

    Args:
        predictions: shape (passes, batch, channels, height, width).
        coefficients: one ``a_j`` per pass.

    Returns:
        shape (batch, channels, height, width); float64 stays float64.
    """
    dtype = torch.promote_types(predictions.dtype, torch.float32)
    a = torch.tensor(coefficients, dtype=dtype, device=predictions.device)
    return torch.tensordot(a, predictions.to(dtype), dims=1)


@torch.no_grad()
def lerp_weights(
    base: Mapping[str, Tensor], tuned: Iterable[tuple[Mapping[str, Tensor], float]]
) -> dict[str, Tensor]:
    """``θ + Σ_i f_i·(θ′_i − θ)``, tensor by tensor in float32 (Steering Guidance, Eq. 8).

    Args:
        base: the prior's weights θ by name.
        tuned: pairs of a fine-tune's weights θ′ with equal names and shapes, and its fraction.

    Returns:
        new tensors of the base's types; integer buffers are the base's.
    """
    pairs = list(tuned)
    result = {}
    for name, theta in base.items():
        if not theta.is_floating_point():
            result[name] = theta.clone()
            continue
        mixed = theta.to(torch.promote_types(theta.dtype, torch.float32), copy=True)
        for weights, fraction in pairs:
            mixed += fraction * (weights[name].to(mixed) - theta.to(mixed.dtype))
        result[name] = mixed.to(theta.dtype)
    return result


def masked_sum(
    predictions: Mapping[int, Tensor],
    layers: Mapping[Any, Mapping[int, float]],
    masks: Mapping[Any, Tensor],
) -> Tensor:
    """``Σ_j a_j·ε_j`` with maps for coefficients: one sum per mask, each under its mask.

    Args:
        predictions: by pass, each of shape (batch, channels, height, width).
        layers: mask → pass → ``a_j``; the empty mask is everywhere.
        masks: mask → its map, of shape (1, 1, height, width) in [0, 1].
    """
    total: Tensor | None = None
    for mask, coefficients in layers.items():
        if not coefficients:
            continue
        stack = torch.stack([predictions[index] for index in coefficients])
        part = combine(stack, list(coefficients.values()))
        part = masks[mask].to(part) * part if mask else part
        total = part if total is None else total + part
    if total is None:
        return torch.zeros_like(next(iter(predictions.values())))
    return total


def led_to(
    predictions: Mapping[int, Tensor],
    shares: Mapping[int, float],
    z: Tensor,
    alpha: Tensor,
    sigma: Tensor,
    prediction: str,
) -> Tensor:
    """The finished latent that one prediction of the noise alone would lead to.

        x₀_i = (z − σ·ε_i)/α,      ε_i = Σ_j a_j·ε_j,      Σ_j a_j = 1

    DDPM, Eq. 15 (Ho et al. 2020), with ``z = α·x₀ + σ·ε``. Other parameterisations are affine in
    ``ε``, so that shares which sum to 1 mean the same in each of them.

    Args:
        predictions: by number, each of shape (batch, channels, h, w), all predicting ``prediction``.
        shares: the ``a_j`` of those that count.
        z: the noisy latents at noise level ``(alpha, sigma)``.

    Returns:
        shape (batch, channels, h, w), at least float32.
    """
    output = combine(torch.stack([predictions[j] for j in shares]), list(shares.values()))
    return to_sample(output, z, alpha, sigma, prediction)


@dataclass(frozen=True)
class Vector:
    """What one direction adds to the base term: ``weight · delta``, ``delta = M ⊙ (ε_row − r)``.

    ``mask``: M, of shape (1, 1, height, width), ``None`` for everywhere. ``rows``: the rows that it
    is of; they are the same at every step at which these rows alone are equal.
    """

    weight: float
    delta: Tensor
    mask: Tensor | None
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Moment:
    """What a refinement sees of one step.

    Predictions are in one parameterisation, ``prediction``, of shape (batch, channels, height,
    width) and at least float32. ``base``, ``reference`` and ``directions`` are there for a
    refinement whose record needs them.

    ``z``: the noisy latents, at noise level ``(alpha, sigma)``. ``base``: ``ε_0``, the null prompt
    under ``θ_ω``. ``reference``: ``ε_0 + Σ M_i ⊙ (ε_i − r_i)`` over the rows of positive weight, equal
    ones once: what conditional predictions are to one row. ``directions``: what the rows add, equal
    ones as one. ``memory``: what lives as long as the run, by keys of the refinement's own.
    """

    z: Tensor
    alpha: Tensor
    sigma: Tensor
    prediction: str
    base: Tensor | None = None
    reference: Tensor | None = None
    directions: Sequence[Vector] = ()
    memory: dict[Hashable, Any] = field(default_factory=dict)


def refined(prediction: Prediction, moment: Moment, refine: Refine) -> Prediction:
    """The prediction after every refinement chosen, in the table's order."""
    for one in refine.chosen:
        apply: Apply = resolved(one.record.apply)
        prediction = apply(prediction, moment, **dict(one.settings))
    return prediction


def rescale_to_reference(guided: Prediction, moment: Moment, phi: float) -> Prediction:
    """Guidance rescale: the guided prediction at the reference's standard deviation, by ``phi``.

        ε̂ ← φ·ε̂·std(ε_ref)/std(ε̂) + (1 − φ)·ε̂

    "Common Diffusion Noise Schedules and Sample Steps are Flawed" (Lin et al. 2023), Eq. 15-16,
    on predictions as the networks make them, image by image. With one row the reference is its
    conditional prediction, as there; with several it is :attr:`Moment.reference`, our reading.
    """
    assert moment.reference is not None
    return guided._replace(output=rescale(guided.output, moment.reference, phi))


def rescale(guided: Tensor, reference: Tensor, phi: float) -> Tensor:
    """``guided`` (batch, …), of each image by ``phi`` at the standard deviation of ``reference``."""
    dims = list(range(1, guided.ndim))
    ratio = reference.std(dims, keepdim=True) / guided.std(dims, keepdim=True)
    return phi * (guided * ratio) + (1 - phi) * guided


def project_directions(
    guided: Prediction, moment: Moment, eta: float, norm_threshold: float, momentum: float
) -> Prediction:
    """Adaptive projected guidance (Sadat et al. 2024, Algorithm 1), in finished latents ``x₀``.

    For one row of weight ``w``, with ``D_c`` and ``D_0`` the finished latents that the row's
    prediction and the base term stand for, it is the algorithm:

        Δ_t = D_c − D_0                     the direction
        Δ̄_t = Δ_t + β·Δ̄_{t−1}              its running average, ``Δ̄ = 0`` before the first step
        Δ̄_t ← Δ̄_t · min(1, r/‖Δ̄_t‖₂)       no longer than the threshold ``r``, if there is one
        N = Δ̄⊥ + η·Δ̄∥                      perpendicular and parallel to ``D_c``
        D̂ = D_c + (w − 1)·N

    The running average is kept as it is before the limit, as in the algorithm. The algorithm
    knows one condition. For several rows this is our variant of it: each direction has an average
    of its own, ``D_c`` is the reference ``R = D_0 + Σ_{w_i>0} Δ_i`` (under their masks), and what is
    beyond it is projected,

        D̂ = R + Σ_{w_i>0} (w_i − 1)·N_i + Σ_{w_i<0} w_i·N_i

    which at ``η = 1`` without threshold and momentum is the plain sum. Equal rows are one direction
    and their weights add; a masked direction is projected along ``R`` inside its mask alone, so
    that the row still contributes nothing outside.

    Args:
        eta: η. norm_threshold: r, 0 for none. momentum: β, usually negative.
    """
    assert moment.reference is not None
    level = moment.alpha, moment.sigma
    output = guided.output
    scale = sample_scale(*level, moment.prediction).to(output)
    along = to_sample(moment.reference, moment.z, *level, moment.prediction).to(output.dtype)
    for direction in moment.directions:
        delta = scale * direction.delta
        average = _averaged(delta, momentum, direction.rows, moment.memory) if momentum else delta
        inside = along if direction.mask is None else direction.mask.to(along) * along
        update = project(average, inside, eta, norm_threshold)
        beyond = direction.weight - 1 if direction.weight > 0 else direction.weight
        output = output + beyond * (update - delta) / scale
    return guided._replace(output=output)


def _averaged(
    delta: Tensor, momentum: float, rows: Sequence[int], memory: dict[Hashable, Any]
) -> Tensor:
    """``Δ + β·Δ̄``, remembered for each row, since rows may be equal at some steps only."""
    past = next((memory["apg", row] for row in rows if ("apg", row) in memory), 0.0)
    average = delta + momentum * past
    memory.update({("apg", row): average for row in rows})
    return average


def project(direction: Tensor, reference: Tensor, eta: float, norm_threshold: float) -> Tensor:
    """``Δ⊥ + η·Δ∥`` of a direction cut to ``‖Δ‖₂ ≤ norm_threshold``, image by image.

    Args:
        direction, reference: shape (batch, …); parallel means along ``reference``.
        eta: 1 keeps all of the parallel part.
        norm_threshold: 0 for none.
    """
    dims = list(range(1, direction.ndim))
    if norm_threshold > 0:
        norm = torch.linalg.vector_norm(direction, dim=dims, keepdim=True)
        direction = direction * (norm_threshold / norm.clamp_min(norm_threshold))
    exact = torch.float32 if direction.device.type == "mps" else torch.float64
    along = torch.nn.functional.normalize(reference.to(exact).flatten(1)).view_as(reference)
    parallel = (direction.to(exact) * along).sum(dims, keepdim=True) * along
    return (direction + (eta - 1) * parallel).to(direction.dtype)


def renoise_with_base(guided: Prediction, moment: Moment, on: bool) -> Prediction:
    """CFG++ (Chung et al. 2024): the noise that a step puts back is the base term's.

        z′ = α′·x₀(ε̂) + σ′·ε_0

    With the base term under ``θ_ω`` it is "Ours++" of Steering Guidance, Table 6. The guidance
    scale λ of that paper lies in [0, 1].
    """
    if not on:
        return guided
    assert moment.base is not None
    return guided._replace(renoise=moment.base)


def term_sizes(vectors: Mapping[int, Tensor], scale: float = 1.0) -> dict[int, tuple[float, float]]:
    """How much each row moves the prediction, from what was computed anyway.

    Args:
        vectors: each row's term ``w·(y_row − r)`` at this step, (batch, …), of the networks' outputs.
        scale: what makes such a difference one of noises, ``∂ε/∂y``.

    Returns:
        row → (root mean square of ``w·(ε_row − r)`` over the batch, its cosine with the sum of all).
    """
    if not vectors:
        return {}
    flat = torch.stack([vector.float().flatten() for vector in vectors.values()])
    cosines = torch.nn.functional.cosine_similarity(flat, flat.sum(0, keepdim=True), dim=1)
    sizes = torch.stack([flat.square().mean(1).sqrt(), cosines], dim=1).tolist()
    return {
        row: (abs(scale) * norm, cosine) for row, (norm, cosine) in zip(vectors, sizes, strict=True)
    }
