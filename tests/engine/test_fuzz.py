"""Random stacks against the oracle; ``python -m tests.engine.fuzz --stacks 20000`` runs many more."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.engine.fuzz import TOLERANCE, Fuzz, random_stack
from tests.support.oracle import Oracle

STACKS, AT_ONCE = 240, 20


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Fuzz:
    return Fuzz(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("first", range(0, STACKS, AT_ONCE))
def test_random_stacks_are_the_plain_loop(fuzz: Fuzz, first: int) -> None:
    differences = {
        seed: fuzz.difference(random_stack(seed), seed) for seed in range(first, first + AT_ONCE)
    }
    assert {seed: d for seed, d in differences.items() if d > TOLERANCE} == {}


def test_the_stacks_hold_what_they_should() -> None:
    """Every part of a preset that the oracle knows comes up often enough."""
    stacks = [random_stack(seed) for seed in range(STACKS)]
    rows = [row for stack in stacks for row in stack["rows"]]
    for field in ("mask", "range", "curve", "control", "reference", "model"):
        assert sum(field in row for row in rows) > 50, field
    for field in ("guidance_rescale", "apg", "cfgpp"):
        assert sum(field in stack for stack in stacks) > 30, field
    assert sum(len(stack["rows"]) > 3 for stack in stacks) > 50
    assert sum(0 < stack["omega"] < 1 for stack in stacks) > 100


@pytest.mark.parametrize(
    "wrong",
    [
        {"omega": 0.31},
        {"rows": [{"weight": 3.01, "prompt": "cat", "model": {"lora": "base/style"}}]},
        {"rows": [{"weight": 3.0, "prompt": "a dog", "model": {"lora": "base/style"}}]},
        {"guidance_rescale": 0.01},
        {"cfgpp": True},
    ],
    ids=str,
)
def test_a_small_mistake_is_seen(fuzz: Fuzz, wrong: dict[str, Any]) -> None:
    """The oracle of another stack differs: the comparison can fail."""
    stack = {
        "base": "base",
        "omega": 0.3,
        "decoupling": 1.0,
        "rows": [{"weight": 3.0, "prompt": "cat", "model": {"lora": "base/style"}}],
    }
    level = [torch.tensor(x, dtype=torch.float64) for x in (0.8, 0.6)]
    z = torch.randn(1, 4, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = [
        Oracle(fuzz.world, one, [0.1]).step(0.1, z, torch.tensor(300), level[0], level[1])
        for one in (stack, stack | wrong)
    ]
    (one, no_noise), (other, noise) = found
    assert (one - other).abs().max() > TOLERANCE * one.abs().max() or (no_noise is None) != (
        noise is None
    )
