"""Random trainings against numpy and finite differences; ``python -m tests.train.fuzz`` runs more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from studio.train import losses
from tests.train.fuzz import Fuzz, random_training, wrong

SEEDS, AT_ONCE = range(9, 21), 2  # among them every loss, norm and parameterisation


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def made(home: Path) -> Fuzz:
    return Fuzz(home)


@pytest.fixture
def fuzz(home: Path, made: Fuzz, monkeypatch: pytest.MonkeyPatch) -> Fuzz:
    monkeypatch.setenv("STUDIO_HOME", str(home))
    return made


@pytest.mark.parametrize("first", SEEDS[::AT_ONCE])
def test_random_trainings_are_the_papers_formulas(fuzz: Fuzz, first: int) -> None:
    found = {
        seed: fuzz.differences(random_training(seed)) for seed in range(first, first + AT_ONCE)
    }
    assert {seed: wrong(one) for seed, one in found.items() if wrong(one)} == {}


def test_the_trainings_hold_what_they_should() -> None:
    """Every loss, norm and parameterisation comes up among those of the suite."""
    given = [random_training(seed) for seed in SEEDS]
    for name in ("ddloss", "pdloss", "prior_weight", "caption_dropout"):
        assert any(name in one for one in given), name
    for name, values in {
        "ddloss_norm": {"sum", "mean"},
        "base": {"tiny", "velocity"},
        "accumulation": {1, 2},
    }.items():
        assert values <= {one.get(name) for one in given}, name
    assert len({one["method"] for one in given}) >= 6


def leaking(means: Any, variance: torch.Tensor, norm: str = "sum") -> torch.Tensor:
    """The right value with another gradient."""
    more = means.p.square().flatten(1).sum(1)
    return losses.dependence_change(means, variance, norm) + more - more.detach()


MISTAKES: dict[str, Callable[..., torch.Tensor]] = {
    "mse": lambda *given: 1.0001 * losses.mse(*given),
    "posterior_mean": lambda *given: 1.0001 * losses.posterior_mean(*given),
    "posterior_variance": lambda *given: 1.0001 * losses.posterior_variance(*given),
    "pd_loss": lambda *given: 1.0001 * losses.pd_loss(*given),
    "dd_loss": lambda means, variance, times, steps, norm: (
        (times + 1) / steps * leaking(means, variance, norm).abs()
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_small_mistake_is_seen(fuzz: Fuzz, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail: for every formula of a step, in its value or in its gradient."""
    given = {"method": "lora+ti", "ddloss": 0.3, "pdloss": 0.5}
    made = {**vars(losses), name: MISTAKES[name]}
    monkeypatch.setattr("studio.train.step.losses", SimpleNamespace(**made))
    found = wrong(fuzz.differences(given))
    assert found and (name != "dd_loss" or set(found) == {"slope"})
