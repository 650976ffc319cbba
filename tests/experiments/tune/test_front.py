"""Fronts by a plain loop, and when a point need not be finished."""

from __future__ import annotations

import numpy as np
import pytest

from studio.experiments.tune.front import beaten, dominates, pareto


def test_the_front_is_what_no_other_row_beats() -> None:
    rng = np.random.default_rng(3)
    for columns in (1, 2, 3):
        rows = rng.integers(0, 6, (40, columns)).astype(float)
        rows[5, 0] = np.nan
        kept = [tuple(rows[i]) for i in pareto(rows.tolist())]
        known = [tuple(row) for row in rows if np.isfinite(row).all()]
        best = {
            a
            for a in known
            if not any(
                all(y >= x for x, y in zip(a, b, strict=True))
                and any(y > x for x, y in zip(a, b, strict=True))
                for b in known
            )
        }
        assert set(kept) == best and len(kept) == len(best)  # equal rows count once
        assert kept == sorted(kept)


def test_dominance_needs_one_better_and_none_worse() -> None:
    assert dominates((1, 2), (1, 1)) and not dominates((1, 1), (1, 1))
    assert not dominates((2, 0), (1, 1))


@pytest.mark.parametrize(
    ("good", "kind", "expected"),
    [
        ([0.5, 0.6, 0.7], [9, 9, 9], True),  # better in both, every time
        ([0.5, 0.6, 0.7], [-9, -9, -9], False),  # worse in one: a trade
        ([0.5, 0.6], [9, 9], False),  # too few to say
        ([0.9, 0.1, 0.35], [9, 9, 9], False),  # better in one only by chance
    ],
)
def test_a_point_is_stopped_only_beyond_chance(
    good: list[float], kind: list[float], expected: bool
) -> None:
    each = {"up": [0.3, 0.4, 0.5], "down": [3.0, 4.0, 5.0]}
    other = {"up": good, "down": [-value for value in kind]}
    signs = {"up": 1, "down": -1}
    assert beaten(each, [{"up": [0, 0, 0], "down": [9, 9, 9]}, other], signs) is expected
