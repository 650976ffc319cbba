"""Formulas of scores on feature arrays, in float64. Knows no model, no file and no prompt."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from studio.errors import StudioError


def unit(features: np.ndarray) -> np.ndarray:
    """Rows (n, d) at length one; a row of zeros stays zero."""
    features = np.asarray(features, np.float64)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)


def cosine(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Row by row, ``⟨a, b⟩ / ‖a‖‖b‖`` in [−1, 1]: (n, d), (n, d) → (n,)."""
    return (unit(first) * unit(second)).sum(1)


def mean_cosine(features: np.ndarray, references: np.ndarray) -> np.ndarray:
    """For each row its mean cosine with all references: (n, d), (m, d) → (n,)."""
    return unit(features) @ unit(references).mean(0)


def gram(maps: np.ndarray) -> np.ndarray:
    """Gram matrices of feature maps (n, c, h, w) → (n, c, c), divided by ``c·h·w`` (Gatys 2016)."""
    n, c, h, w = maps.shape
    flat = np.asarray(maps, np.float64).reshape(n, c, h * w)
    return flat @ flat.transpose(0, 2, 1) / (c * h * w)


def pairwise_distance(features: np.ndarray) -> float:
    """Mean of ``1 − cos`` over all pairs of different rows, in [0, 2]."""
    n = len(features)
    if n < 2:
        raise StudioError(f"{n} picture; diversity needs two", field="diversity")
    total = np.linalg.norm(unit(features).sum(0)) ** 2
    return float(1 - (total - n) / (n * (n - 1)))


def vendi(features: np.ndarray) -> float:
    """``exp(−Σ λ log λ)`` of the eigenvalues of ``K/n``, K the cosines: the effective number of
    different rows, 1 to n (Friedman & Dieng 2023, Eq. 3)."""
    rows = unit(features)
    small = rows.T @ rows if rows.shape[1] < len(rows) else rows @ rows.T
    values = np.linalg.eigvalsh(small / len(rows))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """``‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)`` (Heusel et al. 2017), features (n, d) and (m, d)."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    gap = first.mean(0) - second.mean(0)
    one, two = (np.atleast_2d(np.cov(part, rowvar=False)) for part in (first, second))
    # tr (Σ₁Σ₂)^½ is the sum of the roots of the eigenvalues of Σ₁^½ Σ₂ Σ₁^½, which is symmetric.
    values, vectors = scipy.linalg.eigh(one)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    cross = np.sqrt(scipy.linalg.eigvalsh(root @ two @ root).clip(0)).sum()
    value = gap @ gap + np.trace(one) + np.trace(two) - 2 * cross
    return max(0.0, float(value))  # equal sets come out a rounding below 0


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Squared maximum mean discrepancy, unbiased, with ``k(x, y) = (x·y/d + 1)³``
    (Bińkowski et al. 2018, Eq. 3-4): may be slightly below 0."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    d = first.shape[1]

    def cubic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / d + 1) ** 3

    return _unbiased(cubic(first, first), cubic(second, second), cubic(first, second))


def gaussian_distance(first: np.ndarray, second: np.ndarray, sigma: float = 10.0) -> float:
    """1000 times the squared maximum mean discrepancy with a Gaussian kernel on unit features: CMMD
    (Jayasumana et al. 2024, Sec. 4), unbiased."""
    first, second = unit(first), unit(second)

    def near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
        return np.exp(-squared.clip(0) / (2 * sigma**2))

    return 1000 * _unbiased(near(first, first), near(second, second), near(first, second))


def _unbiased(one: np.ndarray, two: np.ndarray, cross: np.ndarray) -> float:
    """``Σ_{i≠j} k/(n(n−1))`` of either set less twice the mean across them."""
    n, m = len(one), len(two)
    if min(n, m) < 2:
        raise StudioError(f"{n} and {m} pictures; at least two of each", field="kid")
    inside = (one.sum() - np.trace(one)) / (n * (n - 1))
    outside = (two.sum() - np.trace(two)) / (m * (m - 1))
    return float(inside + outside - 2 * cross.mean())


def precision_recall(made: np.ndarray, real: np.ndarray, k: int = 3) -> tuple[float, float]:
    """The share of made pictures inside the real ones' manifold, and the reverse; a manifold is the
    union of balls to each row's ``k``-th neighbour (Kynkäänniemi et al. 2019, Eq. 1-2)."""
    if min(len(made), len(real)) <= k:
        raise StudioError(f"{len(made)} and {len(real)} pictures; more than {k}", field="precision")
    made, real = np.asarray(made, np.float64), np.asarray(real, np.float64)
    across = _distances(made, real)
    precision = (across <= _reach(real, k)[None]).any(1).mean()
    recall = (_reach(made, k)[None] >= across.T).any(1).mean()
    return float(precision), float(recall)


def _reach(rows: np.ndarray, k: int) -> np.ndarray:
    return np.partition(_distances(rows, rows), k, axis=1)[:, k]


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(squared.clip(0))


def f1(found: np.ndarray, wanted: np.ndarray, tolerance: int = 2) -> float:
    """F1 of edge pixels, a pixel counting as met within ``tolerance`` pixels; both (h, w) bool.

    1 where neither has an edge.
    """
    if not found.any() and not wanted.any():
        return 1.0
    if not found.any() or not wanted.any():
        return 0.0
    precision = (found & _grown(wanted, tolerance)).sum() / found.sum()
    recall = (wanted & _grown(found, tolerance)).sum() / wanted.sum()
    return float(2 * precision * recall / max(precision + recall, 1e-12))


def _grown(edges: np.ndarray, by: int) -> np.ndarray:
    from scipy.ndimage import binary_dilation

    return binary_dilation(edges, np.ones((2 * by + 1, 2 * by + 1), bool))
