"""Rows almost for free: the controller against the rule written by hand, and what must not change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from studio.bench.counting import evaluations
from studio.engine import Engine
from studio.engine.effort import FIRST, LAST
from studio.events import Done
from studio.library import Library
from studio.plan import Weights
from studio.preset import Preset, validate
from tests.support import tiny

STEPS = 12
ROWS = [
    {"prompt": "a cat", "weight": 4.0},
    {"prompt": "red", "weight": 1.5},
    {"prompt": "bad", "weight": -0.5},
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "base")
    tiny.lora(folder / "base/style", pipe.unet)
    tiny.pipeline(folder / "velocity", seed=2, prediction="v_prediction")
    half = np.zeros((16, 16), np.uint8)
    half[:, 6:] = 255
    Image.fromarray(half).save(folder / "right.png")
    noise = np.random.default_rng(2).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(folder / "start.png")
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    library = Library((root,))
    return Engine("cpu", torch.float64, library=library, image_roots=(root,))


def preset_of(effort: Any = None, rows: Any = ROWS, sampler: Any = None, **fields: Any) -> Preset:
    own = {"steps": STEPS, "scheduler": "ddim", "seed": 3, **(sampler or {})}
    own |= {} if effort is None else {"effort": effort}
    return validate({"base": "base", "rows": rows, "sampler": own, **fields})


def made(engine: Engine, preset: Preset) -> list[Done]:
    return [event for event in engine.generate(preset) if isinstance(event, Done)]


def pixels(done: Done) -> np.ndarray:
    return np.asarray(done.image).astype(int)


def by_hand(root: Path, allowed: float) -> tuple[np.ndarray, int, float]:
    """The docstring's rule as one plain loop over a DDIM run of :data:`ROWS`: picture, forwards, error."""
    pipe = tiny.load(root / "base").to(torch.float64)
    weights = {"": 1 - sum(row["weight"] for row in ROWS)}
    weights |= {row["prompt"]: row["weight"] for row in ROWS}
    anchor = max(weights, key=lambda prompt: abs(weights[prompt]))
    states = {p: pipe.encode_prompt(p, "cpu", 1, False)[0] for p in weights}
    pipe.scheduler.set_timesteps(STEPS)
    times = [int(t) for t in pipe.scheduler.timesteps]
    cumulative = pipe.scheduler.alphas_cumprod.double()
    rho = [float(((1 - cumulative[t]) / cumulative[t]).sqrt()) for t in times]
    lam = [-math.log(r) for r in rho]
    z = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(3)).double()
    history: dict[str, list[tuple[float, Tensor]]] = {p: [] for p in weights}
    rates: dict[str, float] = {}
    added = dict.fromkeys(weights, 0.0)
    forwards, squares = 0, 0.0

    def extrapolated(prompt: str, now: float) -> Tensor:
        (l2, d2), (l1, d1) = history[prompt][-2:]
        return d1 + 0.5 * (d1 - d2) * (now - l1) / (l1 - l2)

    share = []
    for k in range(STEPS):
        low = rho[k + 1] if k + 1 < STEPS else 0.0
        share.append(abs(rho[max(k - 1, 0)] - low) / 2 / math.sqrt(1 + rho[k] ** 2))

    def after(prompt: str, k: int, until: int) -> float:
        counts = 1.0 if prompt == anchor else abs(weights[prompt])
        found = added[prompt]
        for j in range(k, min(until, STEPS - 1) + 1):
            found += share[j] * counts * rates[prompt] * abs(lam[j] - history[prompt][-1][0])
        return found

    for k, t in enumerate(times):

        def network(prompt: str, z: Tensor = z, t: int = t) -> Tensor:
            with torch.no_grad():
                return pipe.unet(z, t, states[prompt]).sample

        now, part = lam[k], allowed / math.sqrt(len(weights))
        runs = set(weights)
        if FIRST <= k < STEPS - LAST:
            runs = {prompt for prompt in weights if after(prompt, k, k) > part}
            if runs:
                runs |= {anchor} | {p for p in weights if after(p, k, k + 2) > part}
        for prompt in set(weights) - runs:
            total_then = after(prompt, k, k)
            squares += total_then**2 - added[prompt] ** 2
            added[prompt] = total_then
        said = {prompt: network(prompt) for prompt in runs}
        forwards += len(said)
        base = said[anchor] if anchor in said else extrapolated(anchor, now)
        total = base.clone()
        for prompt in weights:
            foot = torch.zeros_like(base) if prompt == anchor else base
            if prompt in said:
                direction = said[prompt] - foot
                if len(history[prompt]) >= 2:
                    off = float((extrapolated(prompt, now) - direction).pow(2).mean().sqrt())
                    rate = off / abs(now - history[prompt][-1][0])
                    rates[prompt] = (rates.get(prompt, rate) + rate) / 2
                history[prompt].append((now, direction))
                added[prompt] = 0.0
            else:
                direction = extrapolated(prompt, now)
            if prompt != anchor:
                total = total + weights[prompt] * direction
        z = pipe.scheduler.step(total, t, z, return_dict=False)[0]
    with torch.no_grad():
        image = pipe.vae.decode(z / pipe.vae.config.scaling_factor).sample
    picture = ((image[0] / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0).int().numpy()
    return picture, forwards, math.sqrt(squares)


def test_the_controller_is_the_rule_written_by_hand(engine: Engine, root: Path) -> None:
    total = 4 * STEPS
    counts = set()
    for allowed in (1e-3, 3e-3, 0.2):
        (done,) = made(engine, preset_of(allowed))
        picture, forwards, error = by_hand(root, allowed)
        assert (done.forwards, done.saved) == (forwards, total - forwards)
        assert np.abs(pixels(done) - picture).max() <= 1
        assert done.estimated_error == pytest.approx(error, rel=1e-3)
        counts.add(forwards)
    assert len(counts) == 3 and max(counts) < total  # the budgets differ in what they save
    assert min(counts) < total - 3 * (STEPS - FIRST - LAST)  # steps at which no network ran


@pytest.fixture(scope="module")
def plain(engine: Engine) -> Done:
    return made(engine, preset_of())[0]


@pytest.mark.parametrize("effort", ["exact", 0, 1e-12])
def test_exact_and_a_budget_of_nothing_are_the_run_without_the_field(
    engine: Engine, plain: Done, effort: Any
) -> None:
    (same,) = made(engine, preset_of(effort))
    assert np.array_equal(pixels(plain), pixels(same))
    assert plain.forwards == same.forwards == 4 * STEPS
    assert (same.saved, same.estimated_error) == (0, 0.0)
    assert plain.shares == same.shares


@pytest.mark.parametrize("scheduler", ["heun", "dpm2_a"])
def test_two_evaluations_at_one_noise_level_are_not_taken_for_one(
    engine: Engine, scheduler: str
) -> None:
    own = {"scheduler": scheduler, "steps": 6}
    assert made(engine, preset_of(1e-12, ROWS[:1], own))[0].saved == 0


def test_no_budget_leaves_out_the_first_and_the_last_evaluations(engine: Engine) -> None:
    (done,) = made(engine, preset_of(1.0))
    assert done.forwards == 4 * (FIRST + LAST)
    short = preset_of(1.0, sampler={"steps": FIRST + LAST})
    assert made(engine, short)[0].saved == 0


def _cases() -> Iterator[Any]:
    lora = {"model": {"lora": "base/style", "strength": 0.7}}
    ranged = [ROWS[0], {**ROWS[1], "range": [0.2, 0.7]}, {**ROWS[2], "curve": "linear_up"}]
    yield pytest.param({"rows": ranged}, id="range and curve")
    yield pytest.param({"rows": [ROWS[0], {**ROWS[1], "mask": "right.png"}]}, id="mask")
    masked = {"rows": [{**ROWS[0], **lora, "mask": "right.png"}, ROWS[1]], "omega": 0.4}
    yield pytest.param(masked, id="mixed weights")
    yield pytest.param({"rows": [{"prompt": "[cat|dog] red", "weight": 5.0}]}, id="changing text")
    start = {"init": {"image": "start.png", "strength": 0.8}}
    yield pytest.param({**start, "sampler": {"scheduler": "pndm"}}, id="picture, pndm")
    yield pytest.param({"sampler": {"scheduler": "heun", "steps": 8}}, id="heun")
    yield pytest.param({"sampler": {"scheduler": "dpm2_a", "steps": 8}}, id="dpm2_a")
    yield pytest.param({"sampler": {"scheduler": "dpm++"}}, id="dpm++")
    yield pytest.param({"sampler": {"scheduler": "dpm++_2m_sde"}, "base": "velocity"}, id="sde, v")
    late = {
        "rows": [{"prompt": "[cat:dog:0.95] red", "weight": 5.0}]
    }  # not seen twice before it matters
    often = {"sampler": {"scheduler": "dpm++", "schedule": "exponential", "steps": 60}}
    yield pytest.param({**late, **often}, id="late text, equal time steps")
    yield pytest.param({"guidance_rescale": 0.5, "sampler": {"count": 2}}, id="batch, rescale")


@pytest.mark.parametrize("fields", list(_cases()))
def test_every_kind_of_run_counts_what_its_network_received(
    engine: Engine, fields: dict[str, Any]
) -> None:
    base = fields.get("base", "base")
    exact = made(engine, preset_of(**fields))
    network = engine.loader.network(Weights(base))
    with evaluations(network) as seen:
        partly = made(engine, preset_of(0.05, **fields))
    assert sum(seen) == sum(done.forwards for done in partly)
    for whole, done in zip(exact, partly, strict=True):
        assert done.forwards + done.saved == whole.forwards
        assert done.saved > 0 and 0 < done.estimated_error < 0.5  # and so a number
        assert np.abs(pixels(done) - pixels(whole)).mean() < 8


def test_a_batch_is_its_images_one_by_one(engine: Engine) -> None:
    batch = made(engine, preset_of(1e-3, sampler={"count": 2}))
    for index, done in enumerate(batch):
        (alone,) = made(engine, preset_of(1e-3, sampler={"seed": 3 + index}))
        assert (alone.forwards, alone.seed) == (done.forwards, done.seed)
        assert np.abs(pixels(alone) - pixels(done)).max() <= 1


def test_what_a_refinement_goes_by_is_run_at_every_step(engine: Engine) -> None:
    rows = [{"prompt": "a cat", "weight": 0.6}]
    (done,) = made(engine, preset_of(1.0, rows=rows, cfgpp=True))
    assert done.saved == 0  # one row and ε_0: nothing is left to hold
    (plain,) = made(engine, preset_of(1.0, rows=rows))
    assert plain.saved == 2 * (STEPS - FIRST - LAST)
