"""The algebra of guidance on tensors. Knows no model, no prompt and no disk.

Notation: as in :mod:`studio.diffusion.parameterisation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


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


def rescale(guided: Tensor, reference: Tensor, phi: float) -> Tensor:
    """Guidance rescale: the guided prediction at the reference's standard deviation, by φ.

    "Common Diffusion Noise Schedules and Sample Steps are Flawed" (Lin et al. 2023), Eq. 15-16,
    on predictions as the network makes them, image by image.

    Args:
        guided, reference: shape (batch, …). For several rows the reference is
            ``ε_0 + Σ (ε_i − r_i)`` over those of positive weight; for one it is ``ε_i``.
        phi: 0 leaves ``guided`` as it is, 1 gives it the reference's deviation.
    """
    dims = list(range(1, guided.ndim))
    ratio = reference.std(dims, keepdim=True) / guided.std(dims, keepdim=True)
    return phi * (guided * ratio) + (1 - phi) * guided


def project(direction: Tensor, reference: Tensor, eta: float, norm_threshold: float) -> Tensor:
    """One direction of adaptive projected guidance (Sadat et al. 2024, Algorithm 1).

    ``Δ`` is cut to ``‖Δ‖₂ ≤ norm_threshold``, and of its part along ``reference`` only ``eta``
    is kept: ``Δ⊥ + η·Δ∥``.

    Args:
        direction: ``Δ`` in finished latents ``x₀``, shape (batch, …); its momentum is the caller's.
        reference: the conditional ``x₀`` of that shape.
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


def term_sizes(vectors: Mapping[int, Tensor]) -> dict[int, tuple[float, float]]:
    """How much each row moves the prediction, from what was computed anyway.

    Args:
        vectors: each row's term ``w·(ε_row − r)`` at this step.

    Returns:
        row → (root mean square of its term, its cosine with the sum of all terms).
    """
    if not vectors:
        return {}
    flat = torch.stack([vector.float().flatten() for vector in vectors.values()])
    cosines = torch.nn.functional.cosine_similarity(flat, flat.sum(0, keepdim=True), dim=1)
    sizes = torch.stack([flat.square().mean(1).sqrt(), cosines], dim=1).tolist()
    return {row: (norm, cosine) for row, (norm, cosine) in zip(vectors, sizes, strict=True)}
