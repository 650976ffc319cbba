"""Claims on hand-worked scores: pairing, margins, sides, the verdict's rule."""

from __future__ import annotations

import numpy as np
import pytest

from studio.experiments import scoring
from studio.experiments.experiment import Claim
from studio.experiments.scoring import HOLDS, NOT, PART, Scores, best, difference, judge, verdict

KEYS = [(p, s, t) for p in range(4) for s in range(2) for t in range(3)]
CLAIM = Claim("", "clip-t", ("a",), ("b",))


def scores(shift: float, noise: float = 0.0, by_training: tuple[float, ...] = (0, 0, 0)) -> Scores:
    rng = np.random.default_rng(1)
    base = rng.normal(size=len(KEYS))  # shared by all cells, and so gone from paired differences
    own = np.random.default_rng(2).normal(size=len(KEYS)) * noise
    extra = np.array([by_training[t] for _, _, t in KEYS])
    return Scores(KEYS, {"clip-t": base + shift + own + extra})


def test_differences_are_paired_and_signed() -> None:
    found, each = difference([scores(0.3)], [scores(0.0)], "clip-t")
    assert found.mean == pytest.approx(0.3) and each == pytest.approx([0.3] * 3)
    assert found.low == pytest.approx(0.3)  # the shared part is gone
    lower = Scores(KEYS, {"gram-d": np.zeros(len(KEYS))})
    higher = Scores(KEYS, {"gram-d": np.ones(len(KEYS))})
    assert difference([lower], [higher], "gram-d")[0].mean == 1.0  # lower is better
    pooled, _ = difference([scores(0.3), scores(0.1)], [scores(0.0), scores(0.0)], "clip-t")
    assert pooled.mean == pytest.approx(0.2) and pooled.n == 2 * len(KEYS)


def test_a_claim_holds_only_where_every_training_agrees() -> None:
    agreed = difference([scores(0.3)], [scores(0.0)], "clip-t")
    assert judge(CLAIM, *agreed) == "holds"
    assert judge(CLAIM, *difference([scores(0.0)], [scores(0.3)], "clip-t")) == "against"
    split, each = difference([scores(0.5, by_training=(0, 0, -0.6))], [scores(0.0)], "clip-t")
    assert each[2] < 0 and judge(CLAIM, split, each) == "open"
    assert judge(CLAIM, *difference([scores(0.0, 1.0)], [scores(0.0)], "clip-t")) == "open"
    margin = Claim("", "clip-t", ("a",), ("b",), margin=0.1)
    assert judge(margin, *difference([scores(-0.05)], [scores(0.0)], "clip-t")) == "holds"
    assert judge(margin, *difference([scores(-0.2)], [scores(0.0)], "clip-t")) == "against"


def test_scores_of_sets_are_means_over_trainings() -> None:
    values = np.arange(len(KEYS), dtype=float)
    whole = Scores(KEYS, whole={"diversity": lambda rows: float(values[rows].max())})
    by_hand = np.mean([values[[k[2] == t for k in KEYS]].max() for t in range(3)])
    assert scoring.summary(whole, "diversity")["mean"] == pytest.approx(by_hand)
    found, each = difference([whole], [whole], "diversity")
    assert found.mean == 0 and each == [0, 0, 0]


def test_the_best_is_chosen_on_one_half_and_compared_on_the_other() -> None:
    flat = scores(0.0)
    odd = flat.each["clip-t"] + np.array([5.0 * (p % 2) for p, _, _ in KEYS])
    even = flat.each["clip-t"] + np.array([0.1 * (p % 2 == 0) for p, _, _ in KEYS])
    cells = {"odd": Scores(KEYS, {"clip-t": odd}), "even": Scores(KEYS, {"clip-t": even})}
    assert best(cells, ("odd", "even"), ("clip-t",)) == "even"
    found, _ = difference([cells["odd"]], [flat], "clip-t", scoring.tests)
    assert found.mean == pytest.approx(5.0)


def test_the_verdict_counts_claims() -> None:
    assert verdict(["holds", "holds"]) == HOLDS
    assert verdict(["holds", "against"]) == PART
    assert verdict(["open", "against"]) == NOT


def test_other_keys_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="other prompts"):
        difference([scores(0.0)], [Scores(KEYS[:-1], {"clip-t": np.zeros(3)})], "clip-t")
