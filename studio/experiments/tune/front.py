"""The trade between scores: which points no other beats, and which one need not be finished."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

FEWEST = 3  # pictures before a point may be stopped
MARGIN = 1.5  # standard errors of the paired difference


def dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether ``first`` is nowhere worse and somewhere better; higher is better in each."""
    pairs = list(zip(first, second, strict=True))
    return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)


def pareto(scores: Sequence[Sequence[float]]) -> list[int]:
    """The rows that no other dominates, from the lowest first score to the highest.

    Of equal rows the first counts. A row with NaN is on no front.
    """
    known = [i for i, row in enumerate(scores) if all(np.isfinite(row))]
    kept: list[int] = []
    for i in known:
        same = any(tuple(scores[j]) == tuple(scores[i]) for j in kept)
        if not same and not any(dominates(scores[j], scores[i]) for j in known):
            kept.append(i)
    return sorted(kept, key=lambda i: tuple(scores[i]))


def beaten(
    each: Mapping[str, Sequence[float]],
    others: Sequence[Mapping[str, Sequence[float]]],
    signs: Mapping[str, int],
) -> bool:
    """Whether some other point is better in every score, on the same pictures, beyond chance.

    The pictures of all points have the same prompts and seeds in the same order, so that a point
    that is begun is compared, picture by picture, with the first pictures of one that is finished.
    Beyond chance: the mean difference is more than 1.5 of its standard errors.

    Args:
        each: score → the values of the pictures so far.
        others: the same of other points.
        signs: score → 1 where higher is better, −1 where lower is.
    """
    return any(all(_better(other[n], each[n], signs[n]) for n in signs) for other in others)


def _better(first: Sequence[float], second: Sequence[float], sign: int) -> bool:
    count = min(len(first), len(second))
    gaps = sign * (np.asarray(first[:count], float) - np.asarray(second[:count], float))
    gaps = gaps[np.isfinite(gaps)]
    if len(gaps) < FEWEST:
        return False
    return bool(gaps.mean() > MARGIN * gaps.std(ddof=1) / np.sqrt(len(gaps)) and gaps.mean() > 0)
