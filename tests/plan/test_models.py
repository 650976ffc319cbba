"""Rows with models of their own: decoupling, ω, concepts, references, and what cannot mix."""

from __future__ import annotations

import pytest

from studio.errors import IncompatibleModels, MissingModel
from tests.support.plans import NULL, eps, plan_of, total


@pytest.mark.parametrize(("delta", "passes"), [(0.0, 2), (0.4, 4), (1.0, 3)])
def test_condition_decoupling(delta: float, passes: int) -> None:
    plan = plan_of(
        rows=[{"prompt": "sunflower AND in noto style:1.2", "weight": 4.0}], decoupling=delta
    )
    null = eps(NULL)
    parts = (eps("sunflower") - null) + 1.2 * (eps("in noto style") - null)
    joint = eps("sunflower in noto style") - null
    assert total(plan) == pytest.approx(null + 4 * ((1 - delta) * joint + delta * parts), abs=1e-12)
    assert plan.forwards_per_step[0] == passes


def test_omega_interpolates_the_weights_of_the_unconditional_pass() -> None:
    rows = [{"prompt": "x", "weight": 4.0, "model": {"lora": "lora", "strength": 0.5}}]
    for omega, expected in [(0.0, ()), (0.4, (("lora", 0.2),)), (1.0, (("lora", 0.5),))]:
        plan = plan_of(rows=rows, omega=omega)
        base = next(p for p in plan.passes if p.condition.prompt == "")
        assert base.weights.loras == expected
        assert base.coefficients[0] == -3.0
        assert plan.forwards_per_step[0] == 2  # Steering Guidance, Table 8: no pass more than CFG


def test_omega_one_on_a_full_fine_tune_is_cfg_on_it() -> None:
    plan = plan_of(rows=[{"prompt": "x", "weight": 4.0, "model": "tuned"}], omega=1.0)
    assert {p.weights.model for p in plan.passes} == {"tuned"}


def test_omega_shares_follow_positive_weights() -> None:
    rows = [
        {"prompt": "x", "weight": 3.0, "model": {"lora": "lora"}},
        {"prompt": "y", "weight": 1.0, "model": {"lora": "lora2"}},
        {"prompt": "z", "weight": -5.0, "model": {"lora": "lora2"}},
        {"prompt": "p", "weight": 9.0},
        {"model": "starter/faces", "weight": 9.0},
    ]
    base = next(
        p
        for p in plan_of(rows=rows, omega=0.8).passes
        if p.condition.prompt == "" and p.weights.model == "starter"
    )
    assert dict(base.weights.loras) == pytest.approx({"lora": 0.6, "lora2": 0.2})


def test_concept_row_has_no_text() -> None:
    plan = plan_of(rows=[{"prompt": "ignored", "model": "starter/faces", "weight": 2.0}])
    concept = next(p for p in plan.passes if p.weights.model == "starter/faces")
    assert concept.condition.prompt is None
    assert [p.coefficients[0] for p in plan.passes] == [-1.0, 2.0]


def test_references() -> None:
    def found(reference: object, **row: object) -> set[tuple[str, str]]:
        plan = plan_of(
            omega=0.5,
            rows=[
                {
                    "prompt": "x",
                    "weight": 4.0,
                    "reference": reference,
                    "model": {"lora": "lora"},
                    **row,
                }
            ],
        )
        return {
            (str(p.weights), str(p.condition)) for p in plan.passes if p.coefficients[0] == -4.0
        }

    assert found("autoguidance") == {("starter", '"x"')}
    assert found({"prompt": "thing"}) == {("(starter + 1·Δ[lora])", '"thing"')}
    own = plan_of(
        omega=0.5,
        rows=[{"prompt": "x", "weight": 4.0, "reference": "own", "model": {"lora": "lora"}}],
    )
    assert next(p.coefficients[0] for p in own.passes if p.condition.prompt == "") == -3.0


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"base": "nothing"}, MissingModel, "base"),
        ({"base": "lora"}, IncompatibleModels, "base"),
        ({"rows": [{}, {"model": "nothing"}]}, MissingModel, "rows.1.model"),
        ({"rows": [{"model": {"lora": "tuned"}}]}, IncompatibleModels, "rows.0.model"),
        ({"rows": [{"model": "canny"}]}, IncompatibleModels, "rows.0.model"),
        ({"rows": [{"model": "xl"}]}, IncompatibleModels, "rows.0.model"),
        (
            {"rows": [{"model": "starter/faces", "control": {"type": "canny", "image": "x"}}]},
            IncompatibleModels,
            "rows.0.model",
        ),
    ],
)
def test_what_cannot_mix_is_refused_by_name(fields: dict, error: type, field: str) -> None:
    with pytest.raises(error) as caught:
        plan_of(**fields)
    assert caught.value.field == field
