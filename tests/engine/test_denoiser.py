"""One denoising step of any rows against GCFG's Algorithm 1 written as a plain loop."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from studio.engine.denoiser import Denoiser
from studio.engine.inputs.passes import prepare_passes
from studio.engine.networks.loader import Loader
from studio.engine.networks.registry import Registry
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import Preset, validate
from tests.support import tiny

LEVEL = (torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64))
Z = torch.randn(3, 4, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
T = torch.tensor(400)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    pipe = tiny.pipeline(folder / "base")
    tiny.lora(folder / "base/style", pipe.unet)
    return folder


def denoiser_of(
    root: Path, preset: Preset, dtype: torch.dtype, chunk: int
) -> tuple[Denoiser, Loader]:
    library = Library((root,))
    loader = Loader(library, Registry(2**30), torch.device("cpu"), dtype)
    plan = compile_plan(preset, library)
    passes = prepare_passes(preset, plan, loader)
    return Denoiser(plan, passes, "epsilon", max_samples=chunk), loader


def algorithm_1(
    loader: Loader, rows: list[tuple[str, float, float]], dtype: torch.dtype
) -> torch.Tensor:
    """One forward per guidance: ``ε ← ε_∅ + Σ w_i (ε_i − ε_∅)``, LoRA rows on merged weights."""
    from studio.plan import Weights

    network = loader.network(Weights("base"))
    text = loader.text_encoder("base")
    family = loader.family("base")
    delta = {
        k + ".weight": (b.flatten(1) @ a.flatten(1)).view(*b.shape[:1], *a.shape[1:])
        for k, (a, b) in loader.adapter("base/style", "base", "base").unet.items()
    }

    def predict(prompt: str, scale: float) -> torch.Tensor:
        state = {k: v.clone() for k, v in network.state_dict().items()}
        for name, change in delta.items():
            state[name] += scale * change
        states = family.encode_text(text, [prompt]).expand(len(Z), -1, -1)
        return torch.func.functional_call(
            network, state, (Z.to(dtype), T), {"encoder_hidden_states": states}
        ).sample

    with torch.no_grad():
        free = predict("", 0.0)
        total = free.clone()
        for prompt, weight, scale in rows:
            total += weight * (predict(prompt, scale) - free)
    return total


@pytest.mark.parametrize("chunk", [1, 4, 64])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-8), (torch.float32, 1e-5)])
def test_rows_equal_the_loop(root: Path, chunk: int, dtype: torch.dtype, tolerance: float) -> None:
    rows = [("a", 7.5, 0.0), ("bad", -3.0, 0.0), ("in style", 2.0, 0.7), ("a", 1.0, -0.4)]
    preset = validate(
        {
            "base": "base",
            "rows": [
                {
                    "prompt": p,
                    "weight": w,
                    **({"model": {"lora": "base/style", "strength": s}} if s else {}),
                }
                for p, w, s in rows
            ],
        }
    )
    denoise, loader = denoiser_of(root, preset, dtype, chunk)
    got = denoise(0, Z.to(dtype), T, *LEVEL)
    expected = algorithm_1(loader, rows, dtype)
    assert got.dtype == dtype
    assert (got - expected).abs().max() <= tolerance * expected.abs().max()
    assert denoise.forwards == 5 * len(Z)


def test_omega_is_the_lora_at_scale_omega(root: Path) -> None:
    preset = validate(
        {
            "base": "base",
            "omega": 0.3,
            "rows": [
                {"prompt": "x", "weight": 4.0, "model": {"lora": "base/style", "strength": 0.5}}
            ],
        }
    )
    denoise, loader = denoiser_of(root, preset, torch.float64, 64)
    got = denoise(0, Z, T, *LEVEL)
    free = algorithm_1(loader, [("", 1.0, 0.15)], torch.float64)
    told = algorithm_1(loader, [("x", 1.0, 0.5)], torch.float64)
    assert (got - (free + 4.0 * (told - free))).abs().max() < 1e-8
    outputs = 0.7 * algorithm_1(loader, [], torch.float64) + 0.3 * algorithm_1(
        loader, [("", 1.0, 0.5)], torch.float64
    )
    assert (free - outputs).abs().max() > 1e-6  # interpolated weights are not outputs
