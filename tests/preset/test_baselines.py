"""The shipped baselines against their equations, on made-up predictions of the studio's own models."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
import torch
from torch import Tensor

from studio.engine.combine import Assembly
from studio.home import PRESETS
from studio.library import Library
from studio.plan import Condition, Weights, compile_plan
from studio.preset import Preset

HERO = Weights("starter", (), (("starter/lora-hero", 1.0),))
PRIOR = Weights("starter")
C, SUPERCLASS = "a hero on a yellow background", "a ghost on a yellow background"
LEVEL = (torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64))


def eps(weights: Weights, prompt: str) -> Tensor:
    """A made-up prediction of each pair of weights and prompt."""
    seed = zlib.crc32(f"{weights} {prompt}".encode())
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, 2, 3, 3, dtype=torch.float64, generator=generator)


def run(name: str) -> tuple[Any, Preset, int]:
    """The last step of a preset, and what it costs a step."""
    preset = Preset.load(PRESETS / f"{name}.json")
    plan = compile_plan(preset, Library().catalogue())
    last = plan.steps - 1
    outputs = {}
    for index in plan.active(last):
        item = plan.passes[index]
        assert item.condition == Condition(item.condition.prompt)
        outputs[index] = eps(item.weights, item.condition.prompt or "")
    kinds = dict.fromkeys(outputs, "epsilon")
    z = torch.zeros(1, 2, 3, 3, dtype=torch.float64)
    found = Assembly(plan, "epsilon").combine(last, outputs, kinds, z, LEVEL)
    return found, preset, plan.forwards_per_step[last]


BASELINES = {
    "15-autoguidance": (  # Eq. 6: ε_θ(c) + λ(ε_θ′(c) − ε_θ(c))
        eps(PRIOR, C) + 4 * (eps(HERO, C) - eps(PRIOR, C)),
        2,
    ),
    "16-subject-agnostic-guidance": (
        eps(HERO, SUPERCLASS) + 4 * (eps(HERO, C) - eps(HERO, SUPERCLASS)),
        2,
    ),
    "17-negative-prompt": ((1 - 4) * eps(HERO, "a house") + 4 * eps(HERO, C), 2),  # Eq. 7
    "08-lora-omega-1": (eps(HERO, "") + 4 * (eps(HERO, C) - eps(HERO, "")), 2),  # CFG on θ′
    "07-lora-omega-0": (eps(PRIOR, "") + 4 * (eps(HERO, C) - eps(PRIOR, "")), 2),  # ω = 0
}


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_is_its_equation(name: str) -> None:
    expected, passes = BASELINES[name]
    got, _, cost = run(name)
    assert (got.output - expected).abs().max() < 1e-9
    assert got.renoise is None and cost == passes


@pytest.mark.parametrize(
    ("name", "weak"), [("18-cfg-plus-plus", HERO), ("19-ours-plus-plus", PRIOR)]
)
def test_cfgpp_and_ours_differ_in_the_noise_put_back(name: str, weak: Weights) -> None:
    """``x₀`` from ``ε_φ + λ(ε_θ′(c) − ε_φ)``, ``z′ = α′x₀ + σ′ε_φ``: Table 6, "CFG++" and "Ours++"."""
    got, preset, cost = run(name)
    free = eps(weak, "")
    assert (got.output - free - 0.6 * (eps(HERO, C) - free)).abs().max() < 1e-9
    assert (got.renoise - free).abs().max() < 1e-9
    assert cost == 2
    assert compile_plan(preset, Library().catalogue()).notes == ()


def test_one_autoguidance_row_alone_is_not_equation_6() -> None:
    preset = Preset.load(PRESETS / "15-autoguidance.json")
    alone = preset.model_copy(update={"rows": preset.rows[:1]})
    plan = compile_plan(alone, Library().catalogue())
    assert any(p.condition.prompt == "" and p.counts(0) for p in plan.passes)
