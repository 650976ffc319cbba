"""Random stacks against the oracle; ``python -m tests.engine.fuzz --stacks 20000`` runs many more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.engine.fuzz import TOLERANCE, Fuzz
from tests.engine.stacks import CHOICES, random_stack
from tests.support.fuzz_models import all_in_double

STACKS, AT_ONCE = 300, 20


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    with all_in_double():
        yield Fuzz(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("first", range(0, STACKS, AT_ONCE))
def test_random_stacks_are_the_plain_loop(fuzz: Fuzz, first: int) -> None:
    differences = {
        seed: fuzz.difference(random_stack(seed), seed) for seed in range(first, first + AT_ONCE)
    }
    assert {seed: d for seed, d in differences.items() if d > TOLERANCE} == {}


ON_TUNED = {"lora": "ia3", "strength": 0.7, "model": "tuned"}
NAMED: dict[str, dict[str, Any]] = {  # of stacks that once differed, the smallest that did
    "an adapter that depends on the weights, on a fine-tune half of the way": {
        "rows": [{"weight": 5.0, "prompt": "cat", "model": ON_TUNED}]
    },
    "its own weak model, of another adapter of that kind on that fine-tune": {
        "rows": [
            {
                "weight": -6.5,
                "prompt": "",
                "model": {**ON_TUNED, "lora": "base/style", "loras": [{"lora": "replaced"}]},
                "reference": "own",
            }
        ]
    },
    "a direction that becomes zero goes on with its running average": {
        "rows": [
            {"weight": 7.5, "prompt": "cat", "model": {"lora": "base/style"}, "range": [0.0, 0.4]},
            {"weight": -6.5, "prompt": ""},
        ],
        "apg": {"eta": 0.0, "norm_threshold": 0.5, "momentum": 0.3},
    },
    "a curve that has all but ended beside large weights": {
        "base": "xl",
        "rows": [
            {"weight": 1.4, "prompt": "cat", "curve": "cosine_down"},
            {"weight": -6.5, "prompt": "a dog"},
            {"weight": 7.5, "prompt": "in ink style"},
        ],
    },
    "the same adapter on the base and on a fine-tune": {
        "rows": [
            {"weight": 5.0, "prompt": "cat", "model": ON_TUNED},
            {"weight": 2.0, "prompt": "a dog", "model": "ia3"},
        ]
    },
}


@pytest.mark.parametrize("name", NAMED)
def test_what_once_differed(fuzz: Fuzz, name: str) -> None:
    sampler = {"scheduler": "ddim", "steps": 2}
    common = {"base": "base", "omega": 0.3, "decoupling": 1.0, "sampler": sampler}
    assert fuzz.difference({**common, **NAMED[name]}, 1) <= TOLERANCE


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
    for base, choices in CHOICES.items():
        those = [stack for stack in stacks if stack["base"] == base]
        assert {stack["sampler"]["scheduler"] for stack in those} == {*choices.schedulers}
        asked = str([stack["rows"] for stack in those])
        assert base in ("xl", "vbase") or all(f"'{name}'" in asked for name in choices.adapters)


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
        "sampler": {"scheduler": "ddim", "steps": 2},
    }
    noise = torch.randn(1, 4, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (guided, none, _), *_ = fuzz.oracle(stack, noise, [noise] * 2)
    (other, renoised, _), *_ = fuzz.oracle(stack | wrong, noise, [noise] * 2)
    far = (guided - other).abs().max() > TOLERANCE * guided.abs().max()
    assert far or (none is None) != (renoised is None)
