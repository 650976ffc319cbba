"""Formulas of scores against torchmetrics, scipy and numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from torchmetrics.image.fid import _compute_fid
from torchmetrics.image.kid import poly_mmd

from studio.errors import StudioError
from studio.metrics import scores


@pytest.fixture
def sets() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    return rng.normal(size=(60, 6)), rng.normal(0.4, 1.3, size=(80, 6))


def test_frechet_is_the_textbook_formula_and_torchmetrics(
    sets: tuple[np.ndarray, np.ndarray],
) -> None:
    one, two = sets
    gap = one.mean(0) - two.mean(0)
    first, second = np.cov(one.T), np.cov(two.T)
    root = scipy.linalg.sqrtm(first @ second).real
    by_hand = gap @ gap + np.trace(first + second - 2 * root)
    assert scores.frechet(one, two) == pytest.approx(by_hand, rel=1e-9)
    moments = [torch.from_numpy(part) for part in (one.mean(0), first, two.mean(0), second)]
    assert scores.frechet(one, two) == pytest.approx(float(_compute_fid(*moments)), rel=1e-6)
    assert scores.frechet(one, one) == pytest.approx(0, abs=1e-8)
    assert scores.frechet(one, two) == pytest.approx(scores.frechet(two, one), rel=1e-9)


def test_kernel_distance_is_torchmetrics_and_unbiased(
    sets: tuple[np.ndarray, np.ndarray],
) -> None:
    one, two = sets[0], sets[1][:60]
    theirs = poly_mmd(torch.from_numpy(one), torch.from_numpy(two))
    assert scores.kernel_distance(one, two) == pytest.approx(float(theirs), rel=1e-9)
    rng = np.random.default_rng(0)
    same = [
        scores.kernel_distance(rng.normal(size=(12, 3)), rng.normal(size=(12, 3)))
        for _ in range(400)
    ]
    assert abs(np.mean(same)) < 3 * np.std(same) / 20  # of equal distributions: 0 on average
    with pytest.raises(StudioError, match="at least two"):
        scores.kernel_distance(one[:1], two)


def test_gaussian_distance_by_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    one, two = scores.unit(rng.normal(size=(5, 4))), scores.unit(rng.normal(size=(7, 4)))

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.exp(-((a - b) ** 2).sum() / 200))

    inside = sum(k(one[i], one[j]) for i in range(5) for j in range(5) if i != j) / 20
    outside = sum(k(two[i], two[j]) for i in range(7) for j in range(7) if i != j) / 42
    across = sum(k(a, b) for a in one for b in two) / 35
    expected = 1000 * (inside + outside - 2 * across)
    assert scores.gaussian_distance(one, two) == pytest.approx(expected, rel=1e-6)


def test_precision_and_recall_by_a_plain_loop() -> None:
    rng = np.random.default_rng(2)
    made, real = rng.normal(size=(20, 3)), rng.normal(0.8, 1, size=(25, 3))

    def covered(points: np.ndarray, others: np.ndarray) -> float:
        hits = 0
        for point in points:
            for centre in others:
                radius = sorted(np.linalg.norm(centre - o) for o in others)[3]
                if np.linalg.norm(point - centre) <= radius + 1e-12:
                    hits += 1
                    break
        return hits / len(points)

    found = scores.precision_recall(made, real)
    assert found == pytest.approx((covered(made, real), covered(real, made)))
    assert scores.precision_recall(made, made) == (1.0, 1.0)


def test_diversity_and_vendi_of_known_sets() -> None:
    basis = np.eye(5)
    assert scores.pairwise_distance(basis) == pytest.approx(1.0)
    assert scores.pairwise_distance(np.ones((4, 3))) == pytest.approx(0.0)
    assert scores.vendi(basis) == pytest.approx(5.0)
    assert scores.vendi(np.ones((4, 3))) == pytest.approx(1.0)
    twice = np.concatenate([basis[:2], basis[:2]])
    assert scores.vendi(twice) == pytest.approx(2.0)
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(9, 4))
    pairs = [
        1 - rows[i] @ rows[j] / np.linalg.norm(rows[i]) / np.linalg.norm(rows[j])
        for i in range(9)
        for j in range(9)
        if i != j
    ]
    assert scores.pairwise_distance(rows) == pytest.approx(np.mean(pairs))


def test_gram_and_cosines_by_hand() -> None:
    maps = np.arange(24, dtype=float).reshape(2, 3, 2, 2)
    flat = maps[1].reshape(3, 4)
    assert np.allclose(scores.gram(maps)[1], flat @ flat.T / 12)
    assert scores.cosine(np.array([[3.0, 0], [0, 0]]), np.array([[4.0, 4], [1, 1]])) == (
        pytest.approx([np.sqrt(0.5), 0])
    )
    rows = np.array([[1.0, 0]])
    assert scores.mean_cosine(rows, np.array([[2.0, 0], [0, 5]])) == pytest.approx([0.5])


def test_edge_f1_of_shifted_lines() -> None:
    line, near, far = (np.zeros((20, 20), bool) for _ in range(3))
    line[5], near[7], far[9] = True, True, True
    assert scores.f1(line, line) == 1 and scores.f1(line, near) == 1 and scores.f1(line, far) == 0
    half = line.copy()
    half[:, :10] = False
    assert 0.6 < scores.f1(half, line) < 0.8  # all of it is right, half (and two pixels) is there
    assert scores.f1(np.zeros((3, 3), bool), np.zeros((3, 3), bool)) == 1
