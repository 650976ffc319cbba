"""Conversions between predictions against their definitions, in float64."""

from __future__ import annotations

import pytest
import torch

from studio.diffusion import parameterisation
from studio.diffusion.training import Training

Z = torch.randn(2, 4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", parameterisation.PREDICTIONS)
def test_parameterisations_agree_on_one_noisy_latent(kind: str) -> None:
    sigma = torch.tensor(0.6, dtype=torch.float64)
    alpha = 1 - sigma if kind == "flow_prediction" else (1 - sigma**2).sqrt()
    clean, noise = torch.randn_like(Z), torch.randn_like(Z)
    z = alpha * clean + sigma * noise
    given = {
        "epsilon": noise,
        "sample": clean,
        "v_prediction": alpha * noise - sigma * clean,
        "flow_prediction": noise - clean,
    }[kind]
    eps = parameterisation.to_epsilon(given, z, alpha, sigma, kind)
    assert torch.allclose(eps, noise, atol=1e-12)
    assert torch.allclose(
        parameterisation.from_epsilon(eps, z, alpha, sigma, kind), given, atol=1e-12
    )
    assert torch.allclose(
        parameterisation.to_sample(given, z, alpha, sigma, kind), clean, atol=1e-12
    )
    wanted = parameterisation.target(clean, noise, alpha, sigma, kind)
    assert torch.allclose(wanted, given, atol=1e-12)


@pytest.mark.parametrize("kind", parameterisation.PREDICTIONS)
def test_differences_of_predictions_in_finished_latents(kind: str) -> None:
    level = torch.tensor(0.8, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64)
    one, two = torch.randn_like(Z), torch.randn_like(Z)
    by_hand = parameterisation.to_sample(one, Z, *level, kind) - parameterisation.to_sample(
        two, Z, *level, kind
    )
    assert torch.allclose(
        parameterisation.sample_scale(*level, kind) * (one - two), by_hand, atol=1e-12
    )
    noises = [parameterisation.to_epsilon(y, Z, *level, kind) for y in (one, two)]
    scale = parameterisation.noise_scale(*level, kind)
    assert torch.allclose(scale * (one - two), noises[0] - noises[1], atol=1e-12)


def test_an_unknown_prediction_is_named() -> None:
    for convert in (parameterisation.to_epsilon, parameterisation.from_epsilon):
        with pytest.raises(ValueError, match="'score'"):
            convert(Z, Z, Z, Z, "score")


SD = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


@pytest.mark.parametrize(
    ("one", "other", "noise", "difference"),
    [
        ({}, {"beta_start": 0.0001, "beta_schedule": "linear", "trained_betas": None}, "", ""),
        (SD, {**SD, "prediction_type": "v_prediction"}, "", "prediction_type"),
        (SD, {**SD, "beta_end": 0.02}, "beta_end", "beta_end"),
        (SD, {**SD, "beta_schedule": "linear"}, "beta_schedule", "beta_schedule"),
        (SD, {**SD, "num_train_timesteps": 4000}, "num_train_timesteps", "num_train_timesteps"),
        (SD, {**SD, "rescale_betas_zero_snr": True}, *["rescale_betas_zero_snr"] * 2),
        (SD, {**SD, "rescale_betas_zero_snr": False}, "", ""),
        ({"trained_betas": [0.1, 0.2]}, {"trained_betas": [0.1, 0.3]}, *["trained_betas"] * 2),
        ({"trained_betas": [0.1]}, {**SD, "trained_betas": [0.1]}, "", ""),
        (
            {"prediction_type": "flow_prediction", "shift": 3.0},
            {"prediction_type": "flow_prediction", "flow_shift": 1.0},
            "",
            "flow_shift",
        ),
        (
            {"prediction_type": "flow_prediction"},
            {"prediction_type": "flow_prediction", "flow_shift": 1.0},
            "",
            "",
        ),
        ({"prediction_type": "flow_prediction"}, {}, "flow", "prediction_type"),
    ],
)
def test_what_keeps_two_trainings_apart(
    one: dict, other: dict, noise: str, difference: str
) -> None:
    first, second = Training.of(one), Training.of(other)
    assert first.other_noise(second) == second.other_noise(first) == noise
    assert first.difference(second) == second.difference(first) == difference
