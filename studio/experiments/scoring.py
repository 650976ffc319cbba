"""From a cell's pictures to intervals, from pairs of cells to the verdict on a claim. Knows arrays only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from studio.experiments.experiment import MEASURES, Claim
from studio.metrics.intervals import FEWEST, Interval, jackknife, pigeonhole
from studio.metrics.table import METRICS

Key = tuple[int, int, int]  # prompt, seed, training seed

HOLDS, PART, NOT = "holds", "holds in part", "does not show here"


@dataclass
class Scores:
    """Of one cell: the key of each picture, its values, and scores of the whole set.

    ``each``: metric → (n,) values in the order of ``keys``. ``whole``: metric → a score of rows.
    """

    keys: Sequence[Key]
    each: dict[str, np.ndarray] = field(default_factory=dict)
    whole: dict[str, Callable[[np.ndarray], float]] = field(default_factory=dict)

    def trainings(self) -> list[int]:
        """The training seeds, in order."""
        return sorted({key[2] for key in self.keys})

    def rows(self, keep: Callable[[Key], bool]) -> np.ndarray:
        """Indices of the pictures that ``keep`` takes."""
        return np.array([i for i, key in enumerate(self.keys) if keep(key)], int)

    def set_score(self, metric: str, rows: np.ndarray) -> float:
        """A set's score of ``rows``, averaged over the training seeds among them."""
        numbers = np.array([key[2] for key in self.keys])[rows]
        score = self.whole[metric]
        return float(np.mean([score(rows[numbers == n]) for n in np.unique(numbers)]))


def sign_of(metric: str) -> float:
    """1 where higher is better, −1 where lower is."""
    better = MEASURES[metric][0] if metric in MEASURES else METRICS[metric].better
    return -1.0 if better == "lower" else 1.0


def summary(scores: Scores, metric: str) -> dict[str, Any]:
    """Mean and interval of a cell, and the mean of each training seed; None where nothing is finite."""
    rows = np.arange(len(scores.keys))
    if metric in scores.each and not np.isfinite(scores.each[metric]).any():
        return {"mean": None, "low": None, "high": None, "n": 0, "by_training": []}
    if metric in scores.each:
        interval = _interval(scores.each[metric], scores.keys)
        each = [float(np.nanmean(scores.each[metric][_of(scores, n)])) for n in scores.trainings()]
    else:
        interval = _jackknife(lambda part: scores.set_score(metric, part), rows, metric)
        interval = interval.within(*METRICS[metric].bounds())
        each = [scores.set_score(metric, _of(scores, n)) for n in scores.trainings()]
    return {**rounded(interval), "by_training": [round(value, 6) for value in each]}


def difference(
    better: Sequence[Scores],
    than: Sequence[Scores],
    metric: str,
    keep: Callable[[Key], bool] = lambda key: True,
) -> tuple[Interval, list[float]]:
    """How much better in ``metric``, paired by prompt, seed and training seed, and by training seed.

    Several pairs of cells are averaged: pictures of equal keys belong together.

    Raises:
        ValueError: the sides have different numbers of cells or pictures; a fault of the experiment.
    """
    pairs = list(zip(better, than, strict=True))
    sign = sign_of(metric)
    first = better[0]
    rows = first.rows(keep)
    if any(list(a.keys) != list(b.keys) for a, b in pairs):
        raise ValueError("compared cells have other prompts, seeds or trainings")
    if metric in first.each:
        gaps = np.concatenate(
            [sign * (a.each[metric] - b.each[metric])[a.rows(keep)] for a, b in pairs]
        )
        keys = [key for a, _ in pairs for key in a.keys if keep(key)]
        numbers = np.array([key[2] for key in keys])
        each = [float(np.nanmean(gaps[numbers == n])) for n in np.unique(numbers)]
        return _interval(gaps, keys), each

    def gap(part: np.ndarray) -> float:
        return sign * float(
            np.mean([a.set_score(metric, part) - b.set_score(metric, part) for a, b in pairs])
        )

    each = [gap(np.intersect1d(_of(first, n), rows)) for n in first.trainings()]
    return _jackknife(gap, rows, metric), each


def judge(claim: Claim, found: Interval, each: Sequence[float]) -> str:
    """``holds``, ``against`` or ``open``: the whole interval, and every training seed, on one side.

    The interval of a claim with a margin is compared with minus the margin.
    """
    line = -claim.margin
    if found.low > line and all(value > line for value in each):
        return "holds"
    if found.high < line and all(value < line for value in each):
        return "against"
    return "open"


def verdict(claims: Sequence[str]) -> str:
    """All claims hold: *holds*; some: *holds in part*; none: *does not show here*."""
    holding = sum(claim == "holds" for claim in claims)
    return HOLDS if holding == len(claims) else PART if holding else NOT


def best(cells: Mapping[str, Scores], group: Sequence[str], metrics: Sequence[str]) -> str:
    """The group's cell with the highest sum of ``metrics`` on prompts of even number, each in units
    of its own spread over the group."""
    means = np.array(
        [
            [
                sign_of(metric) * np.nanmean(cells[name].each[metric][cells[name].rows(chooses)])
                for metric in metrics
            ]
            for name in group
        ]
    )
    spread = means.std(0)
    return group[int((means / np.where(spread > 0, spread, 1)).sum(1).argmax())]


def chooses(key: Key) -> bool:
    """Whether a picture is of the half of the prompts on which settings are chosen."""
    return key[0] % 2 == 0


def tests(key: Key) -> bool:
    """Whether it is of the other half, on which they are compared."""
    return key[0] % 2 == 1


def _of(scores: Scores, training: int) -> np.ndarray:
    return scores.rows(lambda key: key[2] == training)


def _interval(values: np.ndarray, keys: Sequence[Key]) -> Interval:
    """A bootstrap over prompts, seeds and training seeds, each where there are several."""
    factors = [[key[i] for key in keys] for i in range(3)]
    return pigeonhole(values, [factor for factor in factors if len(set(factor)) > 1])


def _jackknife(score: Callable[[np.ndarray], float], rows: np.ndarray, metric: str) -> Interval:
    if len(rows) < FEWEST:
        value = score(rows)
        return Interval(value, float("-inf"), float("inf"), len(rows))
    return jackknife(lambda part: score(rows[part]), len(rows), metric)


def rounded(interval: Interval) -> dict[str, float | int | None]:
    """An interval for JSON, which has no infinity: an unknown end is None."""
    return {
        name: value if name == "n" else round(value, 6) if isfinite(value) else None
        for name, value in interval.as_dict().items()
    }
