"""What networks predict, read from their own files; what cannot be put together is refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.engine.denoiser import Denoiser
from studio.engine.inputs.passes import prepare_passes
from studio.engine.networks.loader import Loader
from studio.engine.networks.null_text import null_text_unet
from studio.engine.networks.registry import Registry
from studio.errors import IncompatibleModels
from studio.library import Library
from studio.plan import Weights, compile_plan
from studio.preset import validate
from tests.support import tiny

ALPHA, SIGMA = LEVEL = tuple(torch.tensor(x, dtype=torch.float64) for x in (0.8, 0.6))
Z = torch.randn(2, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
T = torch.tensor(400)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "base")
    tiny.pipeline(folder / "tuned", seed=1)
    velocity = tiny.pipeline(folder / "velocity", seed=2, prediction="v_prediction")
    for name, base in (("base/concept", ""), ("base/own", ""), ("other", "velocity")):
        (states,) = tiny.encode(pipe, "")
        null_text_unet(pipe.unet, states).save_pretrained(folder / name)
        (folder / name / "card.json").write_text(json.dumps({"base": base} if base else {}))
    velocity.scheduler.save_pretrained(folder / "base/own/scheduler")
    return folder


def variant(root: Path, folder: Path, name: str, **config: Any) -> Path:
    """The library with ``name`` given another scheduler config."""
    shutil.copytree(root, folder / "models")
    path = folder / "models" / name / "scheduler/scheduler_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    return folder / "models"


def loader_of(root: Path) -> Loader:
    return Loader(Library((root,)), Registry(2**30), torch.device("cpu"), torch.float64)


def step(loader: Loader, **fields: Any) -> torch.Tensor:
    preset = validate({"base": "base", **fields})
    plan = compile_plan(preset, loader.library)
    return Denoiser(plan, prepare_passes(preset, plan, loader), "epsilon")(0, Z, T, *LEVEL)


class NoWeights(Loader):
    """A loader with which a refusal must come before a weight is read."""

    def network(self, weights: Weights) -> torch.nn.Module:
        raise AssertionError(f"read {weights}")

    def text_encoder(self, model: str, blend: Any = ()) -> torch.nn.Module:
        raise AssertionError(f"read the text tower of {model}")


def refused(root: Path, **fields: Any) -> IncompatibleModels:
    loader = NoWeights(Library((root,)), Registry(2**30), torch.device("cpu"), torch.float64)
    with pytest.raises(IncompatibleModels) as caught:
        step(loader, **fields)
    return caught.value


@pytest.mark.parametrize(("name", "velocity"), [("base/concept", 0), ("base/own", 1), ("other", 1)])
def test_a_concept_network_predicts_what_its_files_say(
    root: Path, name: str, velocity: bool
) -> None:
    """Its own scheduler config; else that of the base that its card names; else the preset's base."""
    loader = loader_of(root)
    got = step(loader, rows=[{"model": name, "weight": 1.0}])
    with torch.no_grad():
        output = loader.network(Weights(name))(Z, T).sample
    expected = SIGMA * Z + ALPHA * output if velocity else output
    assert (got - expected).abs().max() < 1e-9


@pytest.mark.parametrize("omega", [0.0, 1.0])
def test_at_omega_0_and_1_a_fine_tune_may_predict_velocity(root: Path, omega: float) -> None:
    loader = loader_of(root)
    got = step(loader, omega=omega, rows=[{"prompt": "x", "weight": 3.0, "model": "velocity"}])
    prior, tuned = (loader.network(Weights(name)) for name in ("base", "velocity"))
    family, text = loader.family("base"), loader.text_encoder("base")

    def predict(network: Any, prompt: str) -> torch.Tensor:
        states = family.encode_text(text, [prompt]).expand(2, -1, -1)
        with torch.no_grad():
            output = network(Z, T, states).sample
        return SIGMA * Z + ALPHA * output if network is tuned else output

    base = predict(tuned if omega else prior, "")
    assert (got - base - 3.0 * (predict(tuned, "x") - base)).abs().max() < 1e-9


def test_no_weights_lie_between_an_epsilon_and_a_velocity_network(root: Path) -> None:
    row = {"prompt": "x", "model": "velocity"}
    error = refused(root, omega=0.4, rows=[row])
    assert error.field == "omega"
    assert "'velocity' and 'base'" in str(error) and "prediction_type differs" in str(error)
    two = [row, {"prompt": "y", "model": "tuned"}]  # at ω = 1 two fine-tunes are still mixed
    assert refused(root, omega=1.0, rows=two).field == "omega"
    own = {"rows": [{**row, "reference": "own"}], "omega": 0.4}
    assert refused(root, **own).field == "omega"


def test_it_would_indeed_be_wrong(root: Path) -> None:
    """Interpolated, the two weights predict neither noise nor velocity."""
    loader = loader_of(root)
    states = loader.family("base").encode_text(loader.text_encoder("base"), [""]).expand(2, -1, -1)
    mixed = loader.network(Weights("base", (("velocity", 0.5),)))
    with torch.no_grad():
        eps = [loader.network(Weights(n))(Z, T, states).sample for n in ("base", "velocity")]
        between = mixed(Z, T, states).sample
    eps[1] = SIGMA * Z + ALPHA * eps[1]
    largest = (eps[1] - eps[0]).abs().max()
    for reading in (between, SIGMA * Z + ALPHA * between):
        assert (reading - (eps[0] + eps[1]) / 2).abs().max() > 0.2 * largest


@pytest.mark.parametrize(
    "config",
    [
        {"beta_end": 0.02},
        {"beta_schedule": "linear"},
        {"num_train_timesteps": 500},
        {"rescale_betas_zero_snr": True},
        {"trained_betas": [0.001] * 1000},
    ],
    ids=lambda config: next(iter(config)),
)
@pytest.mark.parametrize("omega", [0.0, 0.4])
def test_other_noise_is_refused_before_a_weight_is_read(
    root: Path, tmp_path: Path, config: dict[str, Any], omega: float
) -> None:
    folder = variant(root, tmp_path, "tuned", **config)
    rows = [{"prompt": "a"}, {"prompt": "x", "model": "tuned"}]
    error = refused(folder, omega=omega, rows=rows)
    assert error.field == "rows.1.model"
    assert f"({next(iter(config))} differs)" in str(error)


def test_what_reaches_zero_signal_is_not_converted(root: Path, tmp_path: Path) -> None:
    """ε at α = 0 says nothing of x₀, and v = (ε − σz)/α would be NaN."""
    folder = variant(root, tmp_path, "velocity", rescale_betas_zero_snr=True)
    base = folder / "base/scheduler/scheduler_config.json"
    base.write_text(json.dumps(json.loads(base.read_text()) | {"rescale_betas_zero_snr": True}))
    error = refused(folder, rows=[{"prompt": "x", "model": "velocity"}])
    assert error.field == "rows.0.model"
    assert "zero signal" in str(error)
