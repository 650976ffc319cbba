"""Tensor algebra against formulas by hand in float64."""

from __future__ import annotations

import pytest
import torch

from studio.diffusion import guidance, parameterisation, sampling
from studio.preset import SINGLE_STEP

Z = torch.randn(2, 4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_combine_sums_in_float32_at_least() -> None:
    predictions = torch.randn(3, 2, 4, 5, 5, dtype=torch.float64)
    by_hand = 2.5 * predictions[0] - 0.5 * predictions[1] - 1.0 * predictions[2]
    assert torch.allclose(guidance.combine(predictions, [2.5, -0.5, -1.0]), by_hand, atol=1e-12)
    half = guidance.combine(predictions.half(), [2.5, -0.5, -1.0])
    assert half.dtype == torch.float32


def test_lerp_weights_is_theta_plus_omega_delta() -> None:
    theta = {"w": torch.randn(3, 3, dtype=torch.float64), "n": torch.tensor(4)}
    one, two = ({"w": torch.randn(3, 3, dtype=torch.float64)} for _ in range(2))
    mixed = guidance.lerp_weights(theta, [(one, 0.3), (two, 0.2)])
    by_hand = theta["w"] + 0.3 * (one["w"] - theta["w"]) + 0.2 * (two["w"] - theta["w"])
    assert torch.allclose(mixed["w"], by_hand, atol=1e-12)
    assert mixed["n"] == 4
    assert torch.equal(guidance.lerp_weights(theta, [(one, 0.0)])["w"], theta["w"])


def test_weight_interpolation_is_not_output_interpolation() -> None:
    torch.manual_seed(1)
    x = torch.randn(5, 4, dtype=torch.float64)

    def network(w: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.tanh(x @ w["a"]) @ w["b"]

    theta, tuned = (
        {"a": torch.randn(4, 4, dtype=torch.float64), "b": torch.randn(4, 4, dtype=torch.float64)}
        for _ in range(2)
    )
    weights = network(guidance.lerp_weights(theta, [(tuned, 0.5)]))
    outputs = 0.5 * network(theta) + 0.5 * network(tuned)
    assert (weights - outputs).abs().max() > 1e-2


def test_term_sizes() -> None:
    vectors = {4: torch.tensor([[4.0, 0.0]]), 1: torch.tensor([[-2.0, 2.0]])}
    sizes = guidance.term_sizes(vectors)  # their sum is (2, 2)
    assert list(sizes) == [4, 1]
    assert sizes[4] == pytest.approx((8**0.5, 0.5**0.5))
    assert sizes[1] == pytest.approx((2.0, 0.0), abs=1e-6)
    assert guidance.term_sizes({}) == {}
    scaled = guidance.term_sizes(vectors, -0.5)  # of all alike: no direction turns
    assert scaled[4] == pytest.approx((0.5 * 8**0.5, 0.5**0.5))
    assert guidance.term_sizes(vectors, 0.0)[4] == pytest.approx((0.0, 0.5**0.5))  # pure noise


def test_masked_sum_is_a_map_of_coefficients() -> None:
    predictions = {i: torch.randn_like(Z) for i in range(3)}
    left = torch.zeros(1, 1, 3, 3, dtype=torch.float64)
    left[..., :1], left[..., 1] = 1.0, 0.25
    layers = {"": {0: 1.0}, "left": {1: 2.0, 0: -2.0}, "none": {}}
    got = guidance.masked_sum(predictions, layers, {"left": left})
    maps = {0: 1.0 - 2.0 * left, 1: 2.0 * left}
    assert torch.allclose(got, sum(maps[i] * predictions[i] for i in maps), atol=1e-12)


@pytest.mark.parametrize("phi", [0.0, 0.7, 1.0])
def test_rescale_of_one_row_is_diffusers(phi: float) -> None:
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg

    guided, told = 5 * torch.randn_like(Z) + 0.3, torch.randn_like(Z)
    expected = rescale_noise_cfg(guided, told, phi)
    assert torch.allclose(guidance.rescale(guided, told, phi), expected, atol=1e-12)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("threshold", [0.0, 2.5])
def test_projection_of_one_row_is_diffusers(eta: float, threshold: float) -> None:
    from diffusers.guiders.adaptive_projected_guidance import MomentumBuffer, normalized_guidance

    buffer, running = MomentumBuffer(-0.5), torch.zeros_like(Z)
    for _ in range(3):
        told, free = torch.randn_like(Z), torch.randn_like(Z)
        expected = normalized_guidance(told, free, 4.0, buffer, eta, threshold, True)
        running = (told - free) - 0.5 * running
        got = told + 4.0 * guidance.project(running, told, eta, threshold)
        assert torch.allclose(got, expected, atol=1e-10)


@pytest.mark.parametrize("name", sampling.SCHEDULERS)
def test_every_scheduler_finds_a_point_mass(name: str) -> None:
    """With the exact denoiser of a single point, every sampler must end at that point."""
    target = torch.full((1, 1, 2, 2), 0.7)
    scheduler = sampling.make_scheduler(
        name,
        {
            "num_train_timesteps": 1000,
            "beta_schedule": "scaled_linear",
            "beta_start": 0.00085,
            "beta_end": 0.012,
            "prediction_type": "v_prediction",
            "timestep_spacing": "trailing",
            "set_alpha_to_one": True,
        },
    )
    scheduler.set_timesteps(25)
    generator = torch.Generator().manual_seed(0)

    def denoise(step: int, z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha, sigma = sampling.noise_level(scheduler, t)
        eps = (z - alpha * target) / sigma
        return alpha * eps - sigma * target

    noise = sampling.initial_noise((1, 2, 2), [generator], torch.device("cpu"))
    steps = list(sampling.sample(denoise, noise, scheduler, [generator]))
    assert [s.index for s in steps] == list(range(len(scheduler.timesteps)))
    # DEIS's last step ends at the table's least noise, σ/α = 0.03, the others' at none.
    assert torch.allclose(steps[-1].latent, target, atol=0.1 if name == "deis" else 0.05)
    assert torch.allclose(steps[0].sample, target, atol=1e-3)


def test_progress_is_uniform_on_a_trailing_schedule() -> None:
    scheduler = sampling.make_scheduler(
        "dpm++", {"num_train_timesteps": 1000, "timestep_spacing": "trailing"}
    )
    scheduler.set_timesteps(25)
    assert sampling.progress_of(scheduler) == pytest.approx([s / 25 for s in range(25)], abs=6e-4)


def table(**config: object) -> dict[str, object]:
    return {
        "num_train_timesteps": 1000,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "timestep_spacing": "trailing",
        **config,
    }


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction"])
@pytest.mark.parametrize("name", SINGLE_STEP)
def test_cfgpp_renoises_with_the_other_prediction(name: str, kind: str) -> None:
    """``z′ = α′·x₀(ε̂) + σ′·ε_0``, worked out from the noise table alone (Chung et al. 2024)."""
    scheduler = sampling.make_scheduler(name, table(prediction_type=kind, set_alpha_to_one=True))
    scheduler.set_timesteps(10)
    levels = [sampling.noise_level(scheduler, t) for t in scheduler.timesteps]
    noise = sampling.initial_noise((4, 3, 3), [torch.Generator().manual_seed(1)], Z.device)
    draws = torch.Generator().manual_seed(2)
    seen, guided, free = [], [], []

    def denoise(step: int, z: torch.Tensor, t: torch.Tensor) -> sampling.Prediction:
        seen.append(z)
        guided.append(torch.randn(z.shape, generator=torch.Generator().manual_seed(step)))
        free.append(torch.randn(z.shape, generator=torch.Generator().manual_seed(99 + step)))
        return sampling.Prediction(guided[-1], free[-1])

    list(sampling.sample(denoise, noise, scheduler, [draws]))
    again = torch.Generator().manual_seed(2)
    for step in range(9):
        (alpha, sigma), (alpha_, sigma_) = levels[step], levels[step + 1]
        clean = parameterisation.to_sample(guided[step], seen[step], alpha, sigma, kind)
        noise = parameterisation.to_epsilon(free[step], seen[step], alpha, sigma, kind)
        if name == "euler_a":  # in σ/α: σ_down of the old noise, σ_up of fresh noise
            now, then = sigma / alpha, sigma_ / alpha_
            up = (then**2 * (now**2 - then**2) / now**2).sqrt()
            noise = (then**2 - up**2).sqrt() / then * noise
            noise = noise + up / then * torch.randn(noise.shape, generator=again)
        assert torch.allclose(seen[step + 1], alpha_ * clean + sigma_ * noise, atol=2e-4)


@pytest.mark.parametrize("name", SINGLE_STEP)
def test_renoising_with_itself_changes_nothing(name: str) -> None:
    def run(renoise: bool) -> torch.Tensor:
        scheduler = sampling.make_scheduler(name, table(prediction_type="epsilon"))
        scheduler.set_timesteps(5)
        generator = torch.Generator().manual_seed(0)
        noise = sampling.initial_noise((4, 3, 3), [generator], Z.device)

        def denoise(step: int, z: torch.Tensor, t: torch.Tensor) -> sampling.Prediction:
            return sampling.Prediction(z * 0.5, z * 0.5 if renoise else None)

        return list(sampling.sample(denoise, noise, scheduler, [generator]))[-1].latent

    assert torch.allclose(run(True), run(False), atol=1e-6)


def test_noise_level_between_time_steps_is_eulers() -> None:
    scheduler = sampling.make_scheduler("euler", table(timestep_spacing="linspace"))
    scheduler.set_timesteps(7)
    for t, ratio in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
        alpha, sigma = sampling.noise_level(scheduler, t)
        assert float(sigma / alpha) == pytest.approx(float(ratio), rel=1e-5)
        assert float(alpha**2 + sigma**2) == pytest.approx(1.0, abs=1e-6)
