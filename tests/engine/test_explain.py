"""What rows pull towards: by hand in float64, and a picture that is the same whether one asks or not."""

# ruff: noqa: F811 - the fixtures are imported
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.engine import Engine
from studio.engine.denoiser import Denoiser
from studio.engine.explain import BASE, SUM
from studio.engine.networks.loader import Loader
from studio.events import Done, Event, Preview
from studio.library import Library
from studio.plan.looks import looked_at
from studio.preset import validate
from tests.support.one_step import (  # noqa: F401
    LEVEL,
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


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_each_row_leads_to_its_own_prediction(
    loader: Loader, root: Path, predict: Predict, prediction: str
) -> None:
    """x₀ = (z − σε)/α; of two parts ε = ε_0 + .6(ε(ab) − ε_0) + .4(ε(a) − ε_0) + .6(ε(b) − ε_0)."""
    preset = preset_of(*ROWS, decoupling=0.4, omega=0.3)
    asked = denoiser(loader, root, preset, prediction=prediction, explain=True)
    plain = denoiser(loader, root, preset, prediction=prediction)
    guided = asked(0, Z, T, *LEVEL)
    assert torch.equal(guided, plain(0, Z, T, *LEVEL))
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
        x0 = (Z - 0.6 * eps) / 0.8
        assert (seen[of] - x0).abs().max() <= 1e-6 * x0.abs().max(), of
    eps = guided if prediction == "epsilon" else 0.6 * Z + 0.8 * guided
    assert (seen[SUM] - (Z - 0.6 * eps) / 0.8).abs().max() < 1e-4


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
    asked(3, Z, T, *LEVEL)
    assert len(asked.assembly.explainer.seen) == 1  # type: ignore[union-attr]


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


@pytest.mark.parametrize("effort", ["exact", 0.9])
def test_the_picture_is_the_same_bit_for_bit(root: Path, effort: str | float) -> None:
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    sampler = {"scheduler": "ddim", "steps": 10, "seed": 3, "count": 2, "effort": effort}
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
