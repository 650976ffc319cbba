"""The algebra of rows, against the papers' formulas worked by hand in float64."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from studio.plan import compile_plan
from studio.preset import validate
from studio.preset.prompts import split_prompt
from tests.support.plans import CATALOGUE, NULL, eps, plan_of, total


def test_no_row_is_the_unconditional_prediction() -> None:
    plan = plan_of()
    assert total(plan) == eps(NULL)
    assert plan.forwards_total == 25


def test_one_row_is_classifier_free_guidance() -> None:
    plan = plan_of(rows=[{"prompt": "cat", "weight": 7.5}])
    assert total(plan) == pytest.approx(eps(NULL) + 7.5 * (eps("cat") - eps(NULL)), abs=1e-12)
    assert plan.forwards_per_step == (2,) * 25


def test_negative_prompt_takes_two_passes_not_three() -> None:
    w = 7.5
    plan = plan_of(rows=[{"prompt": "cat", "weight": w}, {"prompt": "bad", "weight": -(w - 1)}])
    assert total(plan) == pytest.approx((1 - w) * eps("bad") + w * eps("cat"), abs=1e-12)
    assert plan.forwards_per_step[0] == 2


@pytest.mark.parametrize("weights", [[1, -1], [0.1, 0.2, 0.7], [1.0], [3, -1, 2, 2], [-2, -3]])
def test_algorithm_1_as_a_plain_loop(weights: list[float]) -> None:
    prompts = ["a", "b", "c", "d"][: len(weights)]
    expected = eps(NULL)
    for prompt, weight in zip(prompts, weights, strict=True):
        expected += weight * (eps(prompt) - eps(NULL))
    plan = plan_of(rows=[{"prompt": p, "weight": w} for p, w in zip(prompts, weights, strict=True)])
    assert total(plan) == pytest.approx(expected, abs=1e-12)
    base = [p for p in plan.passes if p.condition.prompt == ""]
    assert bool(base) == (abs(1 - sum(weights)) > 1e-9)  # dropped only when its own is zero


def test_coefficients_sum_to_one_at_every_step() -> None:
    chance = random.Random(3)
    for _ in range(30):
        rows = [
            {
                "prompt": chance.choice("abcd"),
                "weight": chance.uniform(-9, 9),
                "range": sorted([chance.random(), chance.random()]),
                "mask": chance.choice(["", "", "m.png", "n.png"]),
                "curve": chance.choice(["constant", "cosine_up", [[0.2, 1.5], [0.7, 0.1]]]),
                "reference": chance.choice(["unconditional", "autoguidance", "own"]),
                "model": chance.choice(["starter", "tuned", {"lora": "lora"}]),
            }
            for _ in range(chance.randrange(6))
        ]
        plan = plan_of(
            rows=rows,
            omega=chance.random(),
            sampler={"steps": 9},
            guidance_rescale=chance.choice([0.0, 0.5]),
        )
        for step in range(9):
            every = plan.predictions
            assert sum(p.coefficients[step] for p in every) == pytest.approx(1, abs=1e-9)
            for mask in plan.masks:  # a map of coefficients still sums to one everywhere
                layer = [p.masked[mask][step] for p in every if mask in p.masked]
                assert sum(layer) == pytest.approx(0, abs=1e-9)
            if plan.refine.needs("reference"):
                for mask in ("", *plan.masks):
                    layer = [p.reference[mask][step] for p in every if mask in p.reference]
                    assert sum(layer) == pytest.approx(0 if mask else 1, abs=1e-9)


def test_permuting_rows_changes_nothing() -> None:
    rows = [
        {"prompt": "a", "weight": 0.1},
        {"prompt": "b", "weight": 0.2, "range": [0.2, 0.7]},
        {"prompt": "c", "weight": -0.7, "model": {"lora": "lora"}},
        {"prompt": "a", "weight": 1.7, "reference": "autoguidance"},
    ]
    plans = [plan_of(rows=list(order), omega=0.3) for order in itertools.permutations(rows)]
    for plan in plans[1:]:
        assert [(p.weights, p.condition, p.coefficients) for p in plan.passes] == [
            (p.weights, p.condition, p.coefficients) for p in plans[0].passes
        ]


def test_splitting_a_row_changes_nothing() -> None:
    whole = plan_of(rows=[{"prompt": "a", "weight": 5.0}])
    halves = plan_of(rows=[{"prompt": "a", "weight": 2.0}, {"prompt": "a", "weight": 3.0}])
    assert [p.coefficients for p in whole.passes] == [p.coefficients for p in halves.passes]
    assert whole.forwards_total == halves.forwards_total


@pytest.mark.parametrize(
    ("curve", "by_hand"),
    [
        ("constant", lambda p: 1.0),
        ("linear_up", lambda p: (p - 0.2) / 0.6),
        ("linear_down", lambda p: 1 - (p - 0.2) / 0.6),
        ("cosine_up", lambda p: math.sin(math.pi / 2 * (p - 0.2) / 0.6) ** 2),
        ("cosine_down", lambda p: math.cos(math.pi / 2 * (p - 0.2) / 0.6) ** 2),
        (
            [[0.3, 2.0], [0.5, 0.0], [0.9, 1.0]],
            lambda p: 2.0 if p < 0.3 else 2 - (p - 0.3) * 10 if p < 0.5 else (p - 0.5) * 2.5,
        ),
    ],
)
@pytest.mark.parametrize("shifted", [False, True])
def test_curves_multiply_the_weight_on_the_noise_level(
    curve: object, by_hand: Callable[[float], float], shifted: bool
) -> None:
    progress = [0.0, 0.02, 0.05, 0.1, 0.22, 0.45, 0.79] if shifted else [s / 10 for s in range(10)]
    rows = [{"prompt": "a", "weight": 3.0, "curve": curve, "range": [0.2, 0.8]}]
    plan = compile_plan(
        validate({"rows": rows, "sampler": {"steps": len(progress)}}), CATALOGUE, progress
    )
    for step, now in enumerate(progress):
        factor = by_hand(now) if 0.2 <= now < 0.8 else 0.0
        expected = eps(NULL) + 3.0 * factor * (eps("a") - eps(NULL))
        assert total(plan, step) == pytest.approx(expected, abs=1e-9)
        assert plan.forwards_per_step[step] == (2 if factor > 1e-9 and 3 * factor != 1 else 1)


def test_curves_do_not_remake_the_weak_model_at_every_step() -> None:
    """θ_ω's shares are of the plain weights, so only rows that come or go change it."""
    rows = [
        {"prompt": "a", "weight": 3.0, "model": {"lora": "lora"}, "curve": "linear_down"},
        {"prompt": "b", "weight": 1.0, "model": {"lora": "lora2"}, "range": [0.0, 0.5]},
    ]
    plan = plan_of(rows=rows, omega=0.4, sampler={"steps": 10})
    weak = {p.weights for p in plan.passes if p.condition.prompt == ""}
    assert {w.loras for w in weak} == {(("lora", 0.3), ("lora2", 0.1)), (("lora", 0.4),)}


def test_masked_rows_are_layers_of_their_own() -> None:
    rows = [
        {"prompt": "a", "weight": 1.0},
        {"prompt": "b", "weight": 3.0, "mask": "m.png"},
        {"prompt": "c", "weight": 2.0, "mask": "m.png"},
        {"prompt": "c", "weight": -2.0, "mask": "m.png"},
        {"prompt": "d", "weight": 2.0, "mask": "n.png", "range": [0.5, 1.0]},
    ]
    plan = plan_of(rows=rows, sampler={"steps": 2})
    found = {p.condition.prompt: (p.coefficients, dict(p.masked)) for p in plan.passes}
    assert found == {
        "a": ((1.0, 1.0), {}),
        "": ((0.0, 0.0), {"m.png": (-3.0, -3.0), "n.png": (0.0, -2.0)}),
        "b": ((0.0, 0.0), {"m.png": (3.0, 3.0)}),
        "d": ((0.0, 0.0), {"n.png": (0.0, 2.0)}),
    }
    assert plan.forwards_per_step == (3, 4)
    assert str(plan).splitlines()[0] == (
        'step 1: ε̂ = starter("a") + M2⊙(−3·starter(∅) + 3·starter("b"))'
    )
    assert plan.as_dict()["passes"][0]["masks"] == {  # type: ignore[index]
        "rows.1.mask": [-3.0, -3.0],
        "rows.4.mask": [0.0, -2.0],
    }


def test_refinements_run_what_their_reference_needs() -> None:
    """+w and −(w−1) cancel the base term: rescale does not need it, the others do."""
    rows = [{"prompt": "cat", "weight": 7.5}, {"prompt": "bad", "weight": -6.5}]
    cost = {
        name: plan_of(rows=rows, **fields).forwards_per_step[0]
        for name, fields in {
            "plain": {},
            "rescale": {"guidance_rescale": 0.7},
            "apg": {"apg": {"eta": 0.0}},
            "cfgpp": {"cfgpp": True, "sampler": {"scheduler": "ddim"}},
        }.items()
    }
    assert cost == {"plain": 2, "rescale": 2, "apg": 3, "cfgpp": 3}
    plan = plan_of(rows=rows, guidance_rescale=0.7)
    assert {p.condition.prompt: dict(p.reference) for p in plan.passes} == {
        "cat": {"": (1.0,) * 25},
        "bad": {},
    }
    told = str(plan_of(rows=rows, apg={"eta": 0.0})).splitlines()[-1]
    assert told == "then projected guidance (η 0) (needs starter(∅) too)"


def test_a_start_from_a_picture_leaves_out_the_first_steps() -> None:
    plan = plan_of(
        rows=[{"prompt": "a", "range": [0.0, 0.6]}],
        sampler={"steps": 10},
        init={"image": "x.png", "strength": 0.5},
    )
    assert plan.forwards_per_step == (2, 1, 1, 1, 1)


def test_changing_coefficients_share_a_line() -> None:
    rows = [
        {"prompt": "a", "weight": 4.0, "curve": "linear_up"},
        {"prompt": "b", "weight": 1.0, "curve": [[0.0, 0.0], [0.5, 2.0], [1.0, 0.5]]},
    ]
    lines = str(plan_of(rows=rows, sampler={"steps": 10})).splitlines()
    assert lines[0] == "step 1: ε̂ = starter(∅)"
    assert lines[1] == (
        'steps 2–10: ε̂ = (0.2→−3.4)·starter(∅) + (0.4→3.6)·starter("a") + (0.4→2→0.8)·starter("b")'
    )


def test_idle_rows_cost_nothing() -> None:
    rows = [{"prompt": "a", "weight": 5.0}]
    idle = [
        {"prompt": "b", "weight": 0.0},
        {"prompt": "c", "enabled": False},
        {"prompt": "d", "range": [0.5, 0.5]},
        {"prompt": "e", "weight": 2.0},
        {"prompt": "e", "weight": -2.0},
    ]
    assert plan_of(rows=rows + idle).forwards_total == plan_of(rows=rows).forwards_total


def test_solo_rows_stand_alone() -> None:
    plan = plan_of(
        rows=[{"prompt": "a", "weight": 5.0}, {"prompt": "b", "weight": 3.0, "solo": True}]
    )
    assert {p.condition.prompt for p in plan.passes} == {"", "b"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"prompt": "a", "enabled": False}], "all rows are muted, so"),
        ([{"prompt": "a", "weight": 0.0}], "no row takes part, so"),
        ([{"prompt": "a"}, {"prompt": "b", "enabled": False}], ""),
        ([], ""),  # nobody has muted anything
    ],
)
def test_that_no_row_takes_part_is_noted(rows: list[dict[str, Any]], said: str) -> None:
    notes = plan_of(rows=rows).notes
    assert [note.startswith(said) for note in notes] == ([True] if said else [])


def test_step_range_counts_noise_levels() -> None:
    plan = plan_of(
        rows=[{"prompt": "a", "weight": 3.0, "range": [0.2, 0.6]}], sampler={"steps": 10}
    )
    assert plan.forwards_per_step == (1, 1, 2, 2, 2, 2, 1, 1, 1, 1)
    shifted = [0.0, 0.05, 0.1, 0.3, 0.7]  # a shifted schedule spends its steps at high noise
    moved = compile_plan(
        validate({"rows": [{"prompt": "a", "range": [0.2, 0.6]}]}), CATALOGUE, shifted
    )
    assert moved.forwards_per_step == (1, 1, 1, 2, 1)


def test_equation_in_words() -> None:
    assert str(plan_of(rows=[{"prompt": "cat", "weight": 7.5}])) == (
        'ε̂ = −6.5·starter(∅) + 7.5·starter("cat")'
    )


def test_spans_count_what_the_scheduler_does() -> None:
    """Two steps of Heun are three evaluations, which are no steps."""
    rows = [{"prompt": "cat", "weight": 2.0, "range": [0.0, 0.5]}]
    sampler = {"scheduler": "heun", "steps": 2}
    preset = validate({"rows": rows, "sampler": sampler})
    assert str(compile_plan(preset, CATALOGUE, [0.0, 0.5, 0.9])).splitlines() == [
        'evaluation 1: ε̂ = −starter(∅) + 2·starter("cat")',
        "evaluations 2–3: ε̂ = starter(∅)",
    ]
    spans = str(compile_plan(preset, CATALOGUE, [0.0, 0.9])).splitlines()
    assert [span.split(":")[0] for span in spans] == ["step 1", "step 2"]


def test_split_prompt() -> None:
    assert split_prompt("a: b") == [("a: b", 1.0)]
    assert split_prompt("a AND b:-1.5 AND  c d ") == [("a", 1.0), ("b", -1.5), ("c d", 1.0)]
    assert split_prompt("BRAND ANDES") == [("BRAND ANDES", 1.0)]


def test_a_row_that_acts_at_no_step_is_noted() -> None:
    idle = {"range": [0.5, 0.5]}, {"range": [0.55, 0.6]}, {"curve": [[0, 0], [1, 0]]}
    rows = [{"prompt": f"{n}", **one} for n, one in enumerate((*idle, {}, {"weight": 0.0}))]
    plan = plan_of(rows=rows, sampler={"steps": 4})
    said = "acts at no step that is run: its range and its curve leave none of them"
    assert [*plan.notes] == [f"rows.{n}.weight: {said}" for n in range(3)]
