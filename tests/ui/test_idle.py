"""Fields that change nothing say so for the reason that they have."""

from __future__ import annotations

import pytest

from studio.preset import validate
from studio.ui.describe import describe
from studio.ui.idle import BELOW_ZERO, CANCELLED, IDLE_REASONS, idle
from studio.ui.space import Limits


@pytest.mark.parametrize(
    ("weights", "reason"), [((7.5, -6.5), CANCELLED), ((1.0,), CANCELLED), ((7.5, -5.5), None)]
)
def test_omega_beside_adapters_whose_weights_sum_to_one(
    weights: tuple[float, ...], reason: str | None
) -> None:
    lora = {"prompt": "a", "model": {"lora": "starter/lora-hero"}}
    found = idle(validate({"rows": [{**lora, "weight": weight} for weight in weights]}))
    assert found.get("omega") == reason


@pytest.mark.parametrize("row", [{}, {"model": {"lora": "starter/food"}, "prompt": ""}])
def test_omega_beside_rows_that_it_never_reaches(row: dict[str, object]) -> None:
    preset = validate({"rows": [{"prompt": "a", "weight": 1.0, **row}]})
    assert idle(preset)["omega"] == IDLE_REASONS["omega"]


@pytest.mark.parametrize("weights", [(5.0, -3.0), (4.0, -3.0), (5.0, 0.0), (-1.0,)])
def test_omega_beside_adapters_that_only_lead_away(weights: tuple[float, ...]) -> None:
    """A row has a LoRA and takes part: that none does would be no reason."""
    lora = {"prompt": "a", "model": {"lora": "starter/lora-hero"}, "weight": weights[-1]}
    rows = [{"prompt": "b", "weight": weight} for weight in weights[:-1]]
    assert idle(validate({"rows": [*rows, lora]}))["omega"] == BELOW_ZERO


@pytest.mark.parametrize(
    ("fault", "lora", "reason"),
    [
        ({"control": {"kind": "canny", "strength": 300}}, None, IDLE_REASONS["omega"]),
        ({"range": [0.9, 0.1]}, "starter/lora-hero", None),
        ({"weight": "five"}, "starter/lora-hero", None),  # which may be any
        ({"controls": [{"type": "canny", "strength": 300}]}, None, IDLE_REASONS["omega"]),
    ],
)
def test_a_refused_row_leaves_its_reason(
    fault: dict[str, object], lora: str | None, reason: str | None
) -> None:
    model = {"model": {"lora": lora}} if lora else {}
    row = {"prompt": "a", "weight": 5.0, **model, **fault}
    shown, unused, _fault = describe(Limits(), rows=[row], omega=0.4)
    assert "gs-plan-bad" in shown
    assert unused.get("omega") == reason


def test_a_refusal_elsewhere_changes_no_reason() -> None:
    lora = {"prompt": "a", "weight": 5.0, "model": {"lora": "starter/lora-hero"}}
    for part in ({"range": [0, 0.5]}, {"reference": {"prompt": "z"}}):
        bad = {"control": {"type": "canny", "image": "", "strength": 300}}
        rows = [lora, {"prompt": "b", "weight": -4.0, **part, **bad}]
        assert (
            "omega" not in describe(Limits(), rows=rows, omega=0.4)[1]
        )  # as the sum differs by step
