"""Weight curves: what a row's weight is multiplied by as the noise goes away."""

from __future__ import annotations

from itertools import pairwise
from math import cos, pi

from studio.preset import Curve

SHAPES = {
    "constant": lambda u: 1.0,
    "linear_up": lambda u: u,
    "linear_down": lambda u: 1.0 - u,
    "cosine_up": lambda u: 0.5 - 0.5 * cos(pi * u),
    "cosine_down": lambda u: 0.5 + 0.5 * cos(pi * u),
}


def factor(curve: Curve, progress: float, span: tuple[float, float] = (0.0, 1.0)) -> float:
    """The factor of ``curve`` where ``progress`` of the noise level is behind.

    Named shapes run over ``span``, the row's range (rising ones as in "Analysis of
    Classifier-Free Guidance Weight Schedulers", Wang et al. 2024). Points stand at their own
    progress, with straight lines between them and constant beyond the first and the last.

    Args:
        curve: a name of :data:`SHAPES`, or points ``(progress, factor)`` rising in progress.
        progress: in [0, 1], from pure noise to the finished image.
    """
    if not isinstance(curve, str):
        return _between(curve, progress)
    start, end = span
    if end <= start:
        return SHAPES[curve](0.0)
    return SHAPES[curve](min(1.0, max(0.0, (progress - start) / (end - start))))


def _between(points: tuple[tuple[float, float], ...], progress: float) -> float:
    if progress <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if progress <= right:
            return low + (high - low) * (progress - left) / (right - left)
    return points[-1][1]
