"""What rows pull towards: by hand in float64, and a picture that is the same whether one asks or not."""

# ruff: noqa: F811 - the fixtures are imported
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.engine import Engine
from studio.engine.combine import Assembly, drifts, row_shares
from studio.engine.denoiser import Denoiser
from studio.engine.explain import BASE, SUM
from studio.engine.networks.loader import Loader
from studio.events import Done, Event, Preview
from studio.experiments import explained
from studio.library import Library
from studio.plan import Plan, Weights
from studio.plan.looks import looked_at
from studio.plan.passes import Condition, Pass
from studio.preset import validate
from tests.support.one_step import (  # noqa: F401
    LEVEL,
    OTHER,
    STYLE,
    Predict,
    T,
    Z,
    denoiser,
    loader,
    predict,
    preset_of,
    root,
)

ROWS = [
    {"prompt": "x", "weight": 5.0, "mask": "mask.png"},
    {"prompt": "y", "weight": 2.0, "model": STYLE, "reference": "autoguidance"},
    {"prompt": "a AND b:1.5", "weight": 3.0},
    {"prompt": "bad", "weight": -2.0, "range": [0.0, 0.5]},
    {"prompt": "late", "weight": 1.0, "range": [0.5, 1.0]},
]
PERSONAL = {"prompt": "x", "weight": 1.0, "model": STYLE}  # of weight 1: ε_0 cancels


def test_the_moments_are_early_and_as_many_as_there_are() -> None:
    assert looked_at(25) == (1, 3, 12)
    assert looked_at(100) == (5, 15, 50)
    assert [looked_at(n) for n in (1, 2, 4)] == [(0,), (0, 1), (0, 1, 2)]


@pytest.mark.parametrize(
    ("prediction", "alpha", "sigma"),
    [
        ("epsilon", 0.8, 0.6),
        ("v_prediction", 0.8, 0.6),
        ("sample", 0.8, 0.6),
        ("flow_prediction", 0.7, 0.3),
    ],
)
def test_each_row_leads_to_its_own_prediction(
    loader: Loader, root: Path, predict: Predict, prediction: str, alpha: float, sigma: float
) -> None:
    """x₀ = (z − σε)/α; of two parts ε = ε_0 + .6(ε(ab) − ε_0) + .4(ε(a) − ε_0) + .6(ε(b) − ε_0)."""
    preset = preset_of(*ROWS, decoupling=0.4, omega=0.3)
    asked = denoiser(loader, root, preset, prediction=prediction, explain=True)
    plain = denoiser(loader, root, preset, prediction=prediction)
    level = torch.tensor((alpha, sigma), dtype=torch.float64).unbind()
    guided = asked(0, Z, T, *level)
    assert torch.equal(guided, plain(0, Z, T, *level))
    base = predict("", 0.3 * 0.7)
    own = {
        BASE: base,
        0: predict("x"),
        1: predict("y", 0.7),
        2: base
        + 0.6 * (predict("a b") - base)
        + 0.4 * (predict("a") - base)
        + 0.6 * (predict("b") - base),
        3: predict("bad"),
    }
    (seen,) = asked.assembly.explainer.seen  # type: ignore[union-attr]
    assert seen.keys() == {*own, SUM}
    for of, eps in own.items():
        x0 = (Z - sigma * eps) / alpha
        assert (seen[of] - x0).abs().max() <= 1e-6 * x0.abs().max(), of
    (sizes,), (told,) = asked.assembly.sizes, drifts(asked.assembly)[-1:]  # of noises, both
    by_hand = 2 * (predict("y", 0.7) - predict("y"))
    assert sizes[1][0] == pytest.approx(float(by_hand.square().mean().sqrt()), rel=1e-6)
    by_hand = predict("", 0.7) - predict("")
    assert told.weights == "(base + 0.7·Δ[base/style])"
    assert told.norm == pytest.approx([float(by_hand.square().mean().sqrt())], rel=1e-6)
    eps = {
        "epsilon": guided,
        "v_prediction": sigma * Z + alpha * guided,
        "sample": (Z - alpha * guided) / sigma,
        "flow_prediction": Z + alpha * guided,
    }[prediction]
    assert (seen[SUM] - (Z - sigma * eps) / alpha).abs().max() < 1e-4


def test_a_base_term_of_several_places_and_rows_of_other_references(
    loader: Loader, root: Path, predict: Predict
) -> None:
    """ε_0 by hand, place by place; a row points where it does whatever it is compared with."""
    rows = [
        {"prompt": "x", "weight": 3.0, "model": STYLE, "mask": "left.png", "reference": "own"},
        {"prompt": "y", "weight": 2.0, "model": OTHER, "mask": "right.png"},
        {"prompt": "z", "weight": -1.0, "reference": {"prompt": "w"}},
    ]
    asked = denoiser(loader, root, preset_of(*rows, omega=0.3), explain=True)
    plain = denoiser(loader, root, preset_of(*rows, omega=0.3))
    for step in range(4):
        assert torch.equal(asked(step, Z, T, *LEVEL), plain(step, Z, T, *LEVEL))
    prior, left, right = predict(""), predict("", 0.3 * 0.7), predict("", 0.0, 0.3 * 0.5)
    places = asked.masks["left.png"], asked.masks["right.png"]
    base = prior + places[0] * (left - prior) + places[1] * (right - prior)
    own = {BASE: base, 0: predict("x", 0.7), 1: predict("y", 0.0, 0.5), 2: predict("z")}
    for seen in asked.assembly.explainer.seen:  # type: ignore[union-attr]
        assert seen.keys() == {*own, SUM}
        for of, eps in own.items():
            assert (seen[of] - (Z - 0.6 * eps) / 0.8).abs().max() < 1e-5, of


def test_networks_that_predict_something_else_lead_to_what_they_mean(
    loader: Loader, root: Path, predict: Predict
) -> None:
    """Those of the empty prompt answer v: x₀ = αz − σv; one of them runs for the diagnosis alone."""
    asked = denoiser(loader, root, preset_of(PERSONAL, omega=0.3), explain=True)
    asked.passes = [
        replace(one, prediction="v_prediction") if made.condition.is_null else one
        for one, made in zip(asked.passes, asked.plan.passes, strict=True)
    ]
    asked(0, Z, T, *LEVEL)
    (seen,) = asked.assembly.explainer.seen  # type: ignore[union-attr]
    v = predict("", 0.3 * 0.7)
    assert (seen[BASE] - (0.8 * Z - 0.6 * v)).abs().max() < 1e-5
    assert (seen[0] - (Z - 0.6 * predict("x", 0.7)) / 0.8).abs().max() < 1e-5
    by_hand = 0.8 * (predict("", 0.7) - predict("")).square().mean().sqrt()  # ε = σz + αv
    assert drifts(asked.assembly)[-1].norm == pytest.approx([float(by_hand)], rel=1e-6)


def test_a_base_term_that_cancels_is_seen_for_one_pass(
    loader: Loader, root: Path, predict: Predict
) -> None:
    rows = [{"prompt": "x", "weight": 4.0}, {"prompt": "bad", "weight": -3.0}]
    twice = [{"prompt": "q", "weight": 1.0}, {"prompt": "q", "weight": -1.0}]
    asked = denoiser(loader, root, preset_of(*rows, *twice), explain=True)
    plain = denoiser(loader, root, preset_of(*rows, *twice))
    assert torch.equal(asked(0, Z, T, *LEVEL), plain(0, Z, T, *LEVEL))
    assert asked.forwards == plain.forwards + len(Z)
    (seen,) = asked.assembly.explainer.seen  # type: ignore[union-attr]
    assert seen.keys() == {BASE, 0, 1, SUM}  # of rows 2 and 3 nothing ran
    assert (seen[BASE] - (Z - 0.6 * predict("")) / 0.8).abs().max() < 1e-5
    sizes = asked.assembly.sizes[0]  # and with it what the rows add can be measured
    by_hand = (4 * (predict("x") - predict(""))).square().mean().sqrt()
    assert sizes[0][0] == pytest.approx(float(by_hand), rel=1e-6)
    assert plain.assembly.sizes == [{}]
    cancelled = [share.missing for share in row_shares(asked.assembly)]
    assert cancelled == [(), (), (0,), (0,)]
    asked(3, Z, T, *LEVEL)
    assert len(asked.assembly.explainer.seen) == 1  # type: ignore[union-attr]


def test_one_measured_row_of_two_has_no_share(loader: Loader, root: Path) -> None:
    """AutoGuidance, Eq. 6: the base term cancels, and what the second row adds to it is not known."""
    rows = [
        {"prompt": "x", "weight": 4.0, "model": STYLE, "reference": "autoguidance"},
        {"prompt": "x", "weight": 1.0, "range": [0.0, 0.5]},
    ]
    plain = denoiser(loader, root, preset_of(*rows))
    for step in range(4):
        plain(step, Z, T, *LEVEL)
    shares = row_shares(plain.assembly)
    assert None not in shares[0].norm and shares[1].norm == (None,) * 4
    assert [share.missing for share in shares] == [(), (0, 1)]
    parts = explained.parts_over_time(shares)
    assert parts == {0: (None, None, 1.0, 1.0), 1: (None,) * 4}


def test_drift_is_of_the_empty_prompt_alone_and_of_each_weights() -> None:
    """With an adapter that shows no picture it is another condition; 0.7001 and 0.7002 are two."""
    tuned = [Weights("base", loras=(("style", scale),)) for scale in (0.7001, 0.7002)]
    null, blank = Condition(""), Condition("", blank=(("ip", 1.0),))
    pairs = [(Weights("base"), null), (Weights("base"), blank), *((one, null) for one in tuned)]
    passes = tuple(Pass(*pair, coefficients=(0.25,)) for pair in pairs)
    assembly = Assembly(Plan(passes, 1, prior="base"), "epsilon")
    outputs = {i: torch.full_like(Z, value) for i, value in enumerate((1.0, 9.0, 3.0, 6.0))}
    assembly.combine(0, outputs, dict.fromkeys(outputs, "epsilon"), Z, LEVEL)
    assert [one.norm for one in drifts(assembly)] == [(2.0,), (5.0,)]


def test_a_diagnosis_too_large_for_memory_leaves_the_sums_batches_as_they_are(
    loader: Loader, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for three samples: the sum takes them, and what is asked beside it has nine."""
    asked = denoiser(loader, root, preset_of(PERSONAL, omega=0.3), explain=True)
    forward, batches = Denoiser._forward, list[list[int]]()

    def small(self: Denoiser, network: Any, chunk: Any, z: Any, t: Any) -> torch.Tensor:
        if len(chunk) > len(Z):
            raise MemoryError
        batches.append([index for index, _ in chunk])
        return forward(self, network, chunk, z, t)

    monkeypatch.setattr(Denoiser, "_forward", small)
    (own,) = asked.plan.active(0)
    for step in (0, 1, 3):
        asked(step, Z, T, *LEVEL)
    assert [batch for batch in batches if own in batch] == [[own] * len(Z)] * 3
    assert sum(map(len, batches)) == len(Z) * (4 + 4 + 1)


def test_with_effort_a_diagnosis_runs_what_did_not_run_yet(loader: Loader, root: Path) -> None:
    """Of ε_0 the first image has run for the sum; those of the others are extrapolated."""
    preset = preset_of({**PERSONAL, "weight": 2.0}, omega=1.0)
    asked = denoiser(loader, root, preset, explain=True)
    base, images = asked.plan.unconditional[0], range(len(Z))

    class First:
        def due(self, step: int) -> list[tuple[int, int]]:
            active = asked.plan.active(step)
            return [(i, b) for i in active for b in images if i != base or b == 0]

        def completed(self, step: int, said: Any, *_: Any) -> dict[int, torch.Tensor]:
            return {
                i: torch.stack([said.get((i, b), said[i, 0]) for b in images])
                for i in asked.plan.active(step)
            }

    asked.effort = First()  # type: ignore[assignment]
    asked(0, Z, T, *LEVEL)
    assert asked.plan.forwards_per_step[0] == 3  # θ′ with and without the prompt, θ without
    assert asked.forwards_of == dict.fromkeys(images, 3)


@pytest.mark.parametrize(("effort", "scheduler"), [("exact", "ddim"), (0.9, "euler")])
def test_the_picture_is_the_same_bit_for_bit(
    root: Path, effort: str | float, scheduler: str
) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    sampler = {"scheduler": scheduler, "steps": 10, "seed": 3, "count": 2, "effort": effort}
    rows = [
        {"prompt": "x", "weight": 4.0, "model": STYLE},
        {"prompt": "bad", "weight": -3.0},
        {"prompt": "late", "weight": 1.0, "range": [0.5, 1.0]},
    ]
    preset = validate({"base": "base", "omega": 0.4, "rows": rows, "sampler": sampler})

    def made(explain: bool) -> tuple[list[Event], list[Done]]:
        events = list(engine.generate(preset, explain=explain))
        return events, [event for event in events if isinstance(event, Done)]

    (_, plain), (events, asked) = made(False), made(True)
    previews = [event.images for event in events if isinstance(event, Preview)]
    for index, (one, other) in enumerate(zip(plain, asked, strict=True)):
        assert one.explanation is None and other.explanation is not None
        assert np.array_equal(np.asarray(one.image), np.asarray(other.image))
        # θ_ω, θ and θ′ under φ at three steps, those of them that do not run for the sum
        assert other.forwards > one.forwards
        told = other.explanation
        assert (told.moments, told.steps) == ((1, 2, 6), 10)
        for moment, picture in zip(told.moments, told.whole, strict=True):
            assert picture is not None  # the sum's x₀ is what the preview has shown
            assert picture.tobytes() == previews[moment - 1][index].tobytes()
        assert [picture is None for picture in told.rows[2]] == [True, True, False]
        assert None not in (*told.base, *told.rows[0], *told.rows[1])
        measured = [norm is not None for norm in other.drift[-1].norm]
        assert [step for step, known in enumerate(measured) if known] == [0, 1, 5]
    assert plain[0].drift == ()
