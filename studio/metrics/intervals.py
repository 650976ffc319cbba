"""Means with 95 % intervals, and paired comparisons, over prompts and seeds.

Pictures of one prompt, or of one seed, resemble each other: prompts and seeds are drawn anew
independently and a picture counts as often as both of its own came up (the pigeonhole bootstrap,
Owen 2007). With neither, pictures are drawn.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from studio.errors import StudioError

DRAWS = 2000
BLOCK = 50_000  # weights of pictures at a time
GROUPS, FEWEST = 50, 4

Pair = tuple[str, Hashable]  # what pictures of two sets have in common: prompt, seed


@dataclass(frozen=True)
class Interval:
    """A mean over ``n`` pictures and the 95 % interval around it."""

    mean: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, float | int]:
        """For JSON."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "n": self.n}

    def within(self, least: float, most: float) -> Interval:
        """The interval with no end outside of what the score can be, nor on the mean's other side.

        A jackknife's ends lie equally far from the mean, wherever the score's own range ends: of
        pictures that are nearly alike, a diversity of 0.01 ± 0.08 would reach below 0. An end that
        is not known (infinite) stays so.
        """
        low = min(self.mean, max(self.low, least)) if isfinite(self.low) else self.low
        high = max(self.mean, min(self.high, most)) if isfinite(self.high) else self.high
        return Interval(self.mean, low, high, self.n)


def bootstrap(
    values: np.ndarray,
    prompts: Sequence[Hashable] = (),
    seeds: Sequence[Hashable] = (),
    draws: int = DRAWS,
) -> Interval:
    """The mean of ``values`` (n,) and its interval; NaN values are left out and not counted.

    Args:
        prompts, seeds: those of each value; either may be empty.

    Raises:
        StudioError: no finite value, or counts that do not match.
    """
    for name, given in (("prompts", prompts), ("seeds", seeds)):
        if len(given) not in (0, len(values)):
            raise StudioError(f"{len(given)} for {len(values)} values", field=name)
    return pigeonhole(values, [given for given in (prompts, seeds) if len(given)], draws)


def pigeonhole(
    values: np.ndarray, factors: Sequence[Sequence[Hashable]] = (), draws: int = DRAWS
) -> Interval:
    """:func:`bootstrap` over any factors, such as prompts, seeds and training seeds.

    Args:
        factors: for each the level of every value; with none, or where each has one level only,
            single values are drawn.

    Raises:
        StudioError: no finite value.
    """
    values = np.asarray(values, np.float64)
    kept = np.flatnonzero(np.isfinite(values))
    if not len(kept):
        raise StudioError("there is no finite value to average", field="values")
    values = values[kept]
    levels = [_numbers(given, kept) for given in factors]
    if not any(numbers.max() for numbers in levels):
        levels = [np.arange(len(values))]
    counts = [int(numbers.max()) + 1 for numbers in levels]
    sums, totals = [], []
    for times in zip(*_times_drawn(counts, draws, max(1, BLOCK // len(values))), strict=True):
        weights = np.ones((len(times[0]), len(values)))
        for numbers, drawn in zip(levels, times, strict=True):
            weights *= drawn[:, numbers]
        sums.append(weights @ values)
        totals.append(weights.sum(1))
    total = np.concatenate(totals)
    means = np.concatenate(sums)[total > 0] / total[total > 0]
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(values.mean()), float(low), float(high), len(values))


def jackknife(score: Callable[[np.ndarray], float], n: int, name: str) -> Interval:
    """A whole set's score and its interval by leaving out one group of pictures at a time.

    ``1.96·√((G − 1)/G · Σ (θ_g − θ̄)²)`` over up to 50 groups (Kott 2001): a bootstrap would repeat
    pictures, which scores of sets take for a lack of variety. It knows of no range: see
    :meth:`Interval.within`.

    Args:
        score: of the rows that it is given, each once.

    Raises:
        StudioError: fewer than four pictures.
    """
    if n < FEWEST:
        raise StudioError(f"{n} pictures; a set's score needs {FEWEST}", field=name)
    rows = np.random.default_rng(0).permutation(n)
    groups = np.array_split(rows, min(n, GROUPS))
    without = [score(np.setdiff1d(rows, group)) for group in groups]
    spread = (len(groups) - 1) * np.var(without)
    value, half = score(np.arange(n)), 1.96 * float(np.sqrt(spread))
    return Interval(value, value - half, value + half, n)


def compare(first: Mapping[Pair, float], second: Mapping[Pair, float]) -> Interval:
    """``second − first``, paired by (prompt, seed); pairs that only one of them has are left out.

    Raises:
        StudioError: they have no pair in common.
    """
    common = [key for key in first if key in second]
    if not common:
        raise StudioError(
            "no prompt and seed (or picture's name) in common, so nothing to compare",
            field="compare",
        )
    differences = np.array([second[key] - first[key] for key in common])
    return bootstrap(differences, [key[0] for key in common], [key[1] for key in common])


def _numbers(given: Sequence[Hashable], kept: np.ndarray) -> np.ndarray:
    """Equal things get equal numbers from 0."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(given[i], len(known)) for i in kept])


def _times_drawn(counts: Sequence[int], draws: int, block: int) -> list[Iterator[np.ndarray]]:
    """For each factor how often each of its ``count`` levels comes up when as many are drawn.

    In blocks of (up to ``block``, count), so that memory does not grow with draws times pictures:
    each factor has a generator that begins where the one before it ends.
    """
    rng = np.random.default_rng(0)
    found = []
    for i, count in enumerate(counts):
        found.append(_blocks(count, draws, block, copy.deepcopy(rng)))
        if i + 1 < len(counts):
            for _ in _blocks(count, draws, block, rng):
                pass
    return found


def _blocks(count: int, draws: int, block: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    chances = np.full(count, 1 / count)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        yield rng.multinomial(count, chances, size=size).astype(np.float64)
