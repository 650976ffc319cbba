"""Rows whose text changes during the denoising: the plan against Algorithm 1 as a plain loop."""

from __future__ import annotations

import pytest

from studio.plan import Plan, compile_plan
from studio.plan.moments import step_numbers
from studio.preset import Preset, validate
from studio.preset.prompt_changes import text_at
from tests.support.plans import CATALOGUE, value


def combined(plan: Plan, step: int) -> float:
    return sum(
        one.coefficients[step] * value(one.weights, one.condition.prompt) for one in plan.passes
    )


def loop(preset: Preset, plan: Plan, step: int, number: int) -> float:
    """ε_0 + Σ w·[(1−δ)(ε(joint) − r) + δ·Σ(ε(part) − r)], each row with its text at the step."""
    prior = plan.passes[0].weights
    null = value(prior, "")
    total = null
    for row in preset.rows:
        text = text_at(row.prompt, number, preset.sampler.steps)
        parts = [part.strip() for part in text.split(" AND ")]
        joint = value(prior, " ".join(parts)) - null
        apart = sum(value(prior, part) - null for part in parts)
        delta = preset.decoupling if len(parts) > 1 else 0.0
        total += row.weight * ((1 - delta) * joint + delta * apart)
    return total


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_the_plan_is_the_plain_loop(strength: float) -> None:
    preset = validate(
        {
            "base": "starter",
            "decoupling": 0.25,
            "rows": [
                {"prompt": "a [cat:dog:0.5] AND [red|blue|] sky", "weight": 4.0},
                {"prompt": "[bad:worse:3]", "weight": -1.5},
                {"prompt": "[late:0.9]", "weight": 2.0},
            ],
            "sampler": {"steps": 8},
        }
    )
    progress = [number / 8 for number in range(int(8 * (1 - strength)), 8)]
    if strength < 1:
        preset = preset.model_copy(
            update={"init": validate({"init": {"image": "x.png", "strength": strength}}).init}
        )
    plan = compile_plan(preset, CATALOGUE, progress)
    for step in range(len(progress)):
        number = step + preset.first_step
        assert combined(plan, step) == pytest.approx(loop(preset, plan, step, number), abs=1e-12)
    run = [sum(one.coefficients[step] != 0 for one in plan.passes) for step in range(plan.steps)]
    assert max(run) <= 6 and len(plan.passes) > 6  # each text runs at its own steps alone


def test_a_reference_s_text_changes_too() -> None:
    preset = validate(
        {
            "base": "starter",
            "rows": [{"prompt": "x", "weight": 1.0, "reference": {"prompt": "[a:b:2]"}}],
            "sampler": {"steps": 4},
        }
    )
    plan = compile_plan(preset, CATALOGUE)
    found = {one.condition.prompt: one.coefficients for one in plan.passes}
    assert found["a"] == (-1.0, -1.0, 0.0, 0.0) and found["b"] == (0.0, 0.0, -1.0, -1.0)


@pytest.mark.parametrize("explain", [False, True])
def test_a_direction_that_is_cancelled_later_counts_until_then(explain: bool) -> None:
    """From the third step the rows cancel, so that nothing of them runs but for a diagnosis."""
    rows = [
        {"prompt": "[a::2]", "weight": 3.0, "model": {"lora": "lora"}},
        {"prompt": "", "weight": -3.0, "model": {"lora": "lora"}, "range": [0.5, 1.0]},
    ]
    given = {"base": "starter", "rows": rows, "omega": 0.0, "apg": {"eta": 0.0}}
    preset = validate({**given, "sampler": {"steps": 4}})
    plan = compile_plan(preset, CATALOGUE, explain=explain)
    found = [
        [(d.rows, d.weight, {str(plan.passes[i]): a for i, a in d.unit.items()}) for d in each]
        for each in map(plan.directions, range(4))
    ]
    direction = ((0,), 3.0, {'(starter + 1·Δ[lora])("a")': 1.0, "starter(∅)": -1.0})
    assert found == [[direction], [direction], [], []]


@pytest.mark.parametrize(
    ("evaluations", "expected"),
    [
        (4, [0, 1, 2, 3]),
        (7, [0, 0, 1, 1, 2, 2, 3]),  # Heun's: two a step, one at the last
        (8, [0, 0, 1, 1, 2, 2, 3, 3]),
        (5, [0, 0, 1, 2, 3]),  # PNDM's: the first step asks twice
    ],
)
def test_solvers_that_ask_several_times_a_step(evaluations: int, expected: list[int]) -> None:
    assert step_numbers(validate({"sampler": {"steps": 4}}), evaluations) == expected


def test_a_fixed_prompt_compiles_as_before() -> None:
    fixed = {"base": "starter", "rows": [{"prompt": "a [cat] \\[x:y:0.5\\]", "weight": 3.0}]}
    plan = compile_plan(validate(fixed), CATALOGUE)
    assert [one.condition.prompt for one in plan.passes] == ["", "a [cat] \\[x:y:0.5\\]"]
