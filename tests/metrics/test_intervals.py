"""Bootstrap intervals: what they cover, how they pair, and what they leave out."""

from __future__ import annotations

import numpy as np
import pytest

from studio.errors import StudioError
from studio.metrics.intervals import Interval, bootstrap, compare, jackknife


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        values = rng.normal(1.0, 2.0, size=40)
        found = bootstrap(values, draws=300)
        hits += found.low <= 1.0 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_pictures_of_one_prompt_are_not_independent() -> None:
    rng = np.random.default_rng(6)
    prompts = np.repeat(np.arange(8), 10)
    seeds = np.tile(np.arange(10), 8)
    values = rng.normal(size=8)[prompts]  # only the prompt decides
    alone = bootstrap(values)
    together = bootstrap(values, list(prompts), list(seeds))
    assert together.high - together.low > 2 * (alone.high - alone.low)
    order = rng.permutation(80)
    again = bootstrap(values[order], list(prompts[order]), list(seeds[order]))
    assert again.mean == pytest.approx(together.mean)
    assert again.high - again.low == pytest.approx(together.high - together.low, rel=0.15)


def test_what_is_not_finite_is_left_out_and_not_counted() -> None:
    found = bootstrap(np.array([1.0, np.nan, 3.0]))
    assert (found.mean, found.n) == (2.0, 2)
    with pytest.raises(StudioError, match="no finite value"):
        bootstrap(np.array([np.nan]))
    with pytest.raises(StudioError, match="seeds: 1 for 2 values"):
        bootstrap(np.array([1.0, 2.0]), seeds=[1])


def test_a_comparison_is_paired() -> None:
    rng = np.random.default_rng(7)
    first = {(f"p{p}", s): float(rng.normal(0, 5)) for p in range(6) for s in range(6)}
    second = {key: value + 0.1 for key, value in first.items()} | {("only here", 0): 99.0}
    found = compare(first, second)
    assert found.n == 36 and found.mean == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1) and found.high == pytest.approx(0.1)
    with pytest.raises(StudioError, match="nothing to compare"):
        compare(first, {("other", 1): 1.0})


def test_the_jackknife_of_a_mean_is_its_textbook_error() -> None:
    values = np.random.default_rng(8).normal(size=30)
    found = jackknife(lambda rows: float(values[rows].mean()), 30, "mean")
    assert found.mean == pytest.approx(values.mean())
    error = values.std(ddof=1) / np.sqrt(30)
    assert found.high - found.mean == pytest.approx(1.96 * error)
    with pytest.raises(StudioError, match="mean: 3 pictures; a set's score needs 4"):
        jackknife(lambda rows: 0.0, 3, "mean")


def test_a_bootstrap_in_blocks_is_the_bootstrap_at_once() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=60)
    prompts, seeds = [i // 6 for i in range(60)], [i % 6 for i in range(60)]
    draws = np.random.default_rng(0)
    by_prompt = draws.multinomial(10, np.full(10, 0.1), size=2000)[:, prompts]
    by_seed = draws.multinomial(6, np.full(6, 1 / 6), size=2000)[:, seeds]
    weights = by_prompt * by_seed
    drawn = weights.sum(1) > 0
    means = (weights @ values)[drawn] / weights.sum(1)[drawn]
    found = bootstrap(values, prompts, seeds)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(means, (0.025, 0.975))))


def test_the_memory_of_a_bootstrap_is_flat() -> None:
    import tracemalloc

    def peak(n: int) -> int:
        tracemalloc.start()
        try:
            bootstrap(np.arange(n, dtype=float), draws=200)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(2000) - peak(1000) < 0.5e6  # all draws at once take 3.2 MB more


def test_pictures_of_one_prompt_without_seeds_are_drawn() -> None:
    """One prompt alone says nothing of how pictures vary: the interval is that of the pictures."""
    values = np.random.default_rng(0).normal(size=200)
    alone, one, own = (bootstrap(values, given) for given in ([], ["a"] * 200, range(200)))
    half = 1.96 * values.std() / 200**0.5
    for found in (alone, one, own):
        assert found.high - found.low == pytest.approx(2 * half, rel=0.1)
    same = [bootstrap(values, ["a"] * 200, seeds) for seeds in ([], [5] * 200)]
    assert same == [alone, alone]
    values[::2] = np.nan  # of two prompts, one has nothing left
    kept = bootstrap(values, ["gone", "a"] * 100)
    assert kept.n == 100 and kept == bootstrap(values)


def test_an_interval_ends_where_its_score_does() -> None:
    inf = float("inf")
    assert Interval(0.01, -0.07, 0.09, 4).within(0, 2) == Interval(0.01, 0, 0.09, 4)
    assert Interval(3.9, 3.2, 4.6, 4).within(1, 4) == Interval(3.9, 3.2, 4, 4)
    assert Interval(-1e-9, -0.1, 0.1, 4).within(0, 2) == Interval(-1e-9, -1e-9, 0.1, 4)
    assert Interval(0.5, -inf, inf, 1).within(0, 1) == Interval(0.5, -inf, inf, 1)  # not known
