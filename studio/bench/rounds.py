"""Timing that survives a busy machine: interleaved rounds, paired ratios, medians and quartiles."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch


class Clock(Protocol):
    """Seconds that some work takes."""

    def time(self, work: Callable[[], object]) -> float:
        """Run ``work`` once and say how long it took."""
        ...


class CpuClock:
    """Process time: what other programs do to the wall clock does not count.

    Meaningful with one thread (:func:`torch.set_num_threads`).
    """

    def time(self, work: Callable[[], object]) -> float:
        """Seconds of this process's CPU time."""
        start = time.process_time()
        work()
        return time.process_time() - start


class CudaClock:
    """Events on the device's own stream."""

    def time(self, work: Callable[[], object]) -> float:
        """Seconds between two events around ``work``."""
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        work()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / 1000


@dataclass(frozen=True)
class Case:
    """One thing to time. ``before`` brings things into order and is not timed."""

    run: Callable[[], object]
    before: Callable[[], object] = field(default=lambda: None)


@dataclass(frozen=True)
class Ratio:
    """A ratio of times over the rounds: its median and quartiles."""

    median: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """For JSON, to three digits."""
        return {name: round(getattr(self, name), 3) for name in ("median", "low", "high")}


def interleave(
    cases: Mapping[str, Case],
    rounds: int,
    clock: Clock,
    tell: Callable[[int], object] = lambda _: None,
    limit: float | None = None,
) -> dict[str, list[float]]:
    """Time every case once a round, the order reversed on alternate rounds, after one warm-up.

    Args:
        cases: by name, in their order.
        rounds: how often each is timed.
        tell: called with the number of rounds done.
        limit: seconds after which no further round begins; the first one always runs.

    Returns:
        seconds by name, one per round; the n-th entries belong to one round.
    """
    for case in cases.values():
        case.before()
        case.run()
    begun = time.monotonic()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds):
        names = list(cases)[:: 1 if number % 2 == 0 else -1]
        for name in names:
            cases[name].before()
            seconds[name].append(_without_collector(clock, cases[name].run))
        tell(number + 1)
        if limit is not None and time.monotonic() - begun >= limit:
            break
    return seconds


def _without_collector(clock: Clock, work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        return clock.time(work)
    finally:
        gc.enable()


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """``above / below`` round by round, so that what slows a whole round cancels."""
    each = sorted(a / b for a, b in zip(above, below, strict=True))
    if len(each) < 2:
        return Ratio(each[0], each[0], each[0])
    low, median, high = statistics.quantiles(each, n=4, method="inclusive")
    return Ratio(median, low, high)
