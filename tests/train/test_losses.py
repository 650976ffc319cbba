"""Training's losses against the papers' formulas by hand, in float64."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from torch import Tensor

from studio.train import losses
from studio.train.losses import Means

T = 1000
SCHEDULER = DDPMScheduler(T, beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
LEVELS = SCHEDULER.alphas_cumprod.double()
TIMES = torch.tensor([0, 1, 250, 640, 999])


def random(seed: int, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape or (5, 4, 3, 3), dtype=torch.float64, generator=generator)


def means(requires_grad: bool = False) -> Means:
    return Means(*(random(seed).requires_grad_(requires_grad) for seed in (1, 2, 3, 4)))


def test_noise_and_targets_are_the_schedulers_own() -> None:
    clean, noise = random(5), random(6)
    noisy = losses.add_noise(clean, noise, LEVELS[TIMES])
    torch.testing.assert_close(
        noisy, SCHEDULER.add_noise(clean, noise, TIMES), rtol=1e-6, atol=1e-6
    )
    velocity = losses.target(clean, noise, LEVELS[TIMES], "v_prediction")
    expected = SCHEDULER.get_velocity(clean, noise, TIMES)
    torch.testing.assert_close(velocity, expected, rtol=1e-6, atol=1e-6)
    assert losses.target(clean, noise, LEVELS[TIMES], "epsilon") is noise
    assert losses.target(clean, noise, LEVELS[TIMES], "sample") is clean


def test_posterior_mean_and_variance_written_out() -> None:
    x_t, eps = random(7), random(8)
    got = losses.posterior_mean(eps, x_t, TIMES, LEVELS, "epsilon")
    variance = losses.posterior_variance(TIMES, LEVELS)
    for b, t in enumerate(TIMES.tolist()):
        now = float(LEVELS[t])
        before = float(LEVELS[t - 1]) if t else 1.0
        alpha = now / before
        beta = 1 - alpha
        x_0 = (x_t[b] - math.sqrt(1 - now) * eps[b]) / math.sqrt(now)
        mean = (math.sqrt(before) * beta * x_0 + math.sqrt(alpha) * (1 - before) * x_t[b]) / (
            1 - now
        )
        torch.testing.assert_close(got[b], mean, rtol=1e-9, atol=1e-9)
        if t:
            assert float(variance[b]) == pytest.approx(beta * (1 - before) / (1 - now), rel=1e-9)
    assert float(variance[0]) == float(variance[1]) > 0  # the first step's own would be zero


def test_every_parameterisation_has_one_mean() -> None:
    x_t, x_0 = random(9), random(10)
    signal, spread = (v.sqrt().view(-1, 1, 1, 1) for v in (LEVELS[TIMES], 1 - LEVELS[TIMES]))
    eps = (x_t - signal * x_0) / spread
    outputs = {"sample": x_0, "epsilon": eps, "v_prediction": signal * eps - spread * x_0}
    found = [
        losses.posterior_mean(output, x_t, TIMES, LEVELS, kind) for kind, output in outputs.items()
    ]
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="known are"):
        losses.posterior_mean(x_0, x_t, TIMES, LEVELS, "flow")


@pytest.mark.parametrize("norm", ["sum", "mean"])
def test_dependence_change_and_dd_loss_written_out(norm: str) -> None:
    m, variance = means(), losses.posterior_variance(TIMES, LEVELS)
    change = losses.dependence_change(m, variance, norm)
    loss = losses.dd_loss(m, variance, TIMES, T, norm)
    pg, p, g, none = (x.numpy() for x in (m.pg, m.p, m.g, m.none))
    for b, t in enumerate(TIMES.tolist()):

        def apart(other: np.ndarray, b: int = b) -> float:
            squares = (pg[b] - other[b]) ** 2
            return float(squares.sum() if norm == "sum" else squares.mean())

        d = (apart(p) + apart(g) - apart(none)) / (2 * float(variance[b]))
        assert float(change[b]) == pytest.approx(d, rel=1e-10)
        assert float(loss[b]) == pytest.approx((t + 1) / T * abs(d), rel=1e-10)


def test_sums_are_the_default_and_as_many_times_the_means_as_there_are_elements() -> None:
    m, variance = means(), losses.posterior_variance(TIMES, LEVELS)
    of_sums = losses.dependence_change(m, variance)
    torch.testing.assert_close(of_sums, 36 * losses.dependence_change(m, variance, "mean"))
    with pytest.raises(ValueError, match="known are sum, mean"):
        losses.dependence_change(m, variance, "max")


def test_dependence_change_is_the_change_of_log_r_by_bayes() -> None:
    # Eq. 3, 9 and 10 as they stand: log p(x_{t-1} | x_t, c) of each Gaussian, at x_{t-1} = mu_pg.
    m, variance = means(), losses.posterior_variance(TIMES, LEVELS)

    def log_density(mean: Tensor, b: int) -> float:
        deviation = float(variance[b]) ** 0.5
        gaussian = torch.distributions.Normal(mean[b], deviation)
        return float(gaussian.log_prob(m.pg[b]).sum())

    for b in range(len(TIMES)):
        gained = {
            name: log_density(getattr(m, name), b) - log_density(m.none, b)
            for name in ("pg", "p", "g")
        }
        expected = gained["pg"] - gained["p"] - gained["g"]
        got = float(losses.dependence_change(m, variance)[b])
        assert got == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("power", [1.0, 0.6, 2.0])
def test_the_discrepancy_estimates_the_sum_over_all_steps(power: float) -> None:
    steps = 20
    change = random(1, steps)  # D_t of each step
    exact = float(change.abs().sum())
    edges = (torch.arange(steps + 1, dtype=torch.float64) / steps).pow(1 / power)
    drawn = edges.diff()  # how often each step is drawn
    times = torch.arange(steps)
    one = [
        float(losses.denoising_discrepancy(change[t : t + 1], times[t : t + 1], steps, power))
        for t in range(steps)
    ]
    expected = sum(float(chance) * value for chance, value in zip(drawn, one, strict=True))
    assert expected == pytest.approx(exact, rel=1e-10)
    u = torch.rand(20_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    some = (steps * u.pow(power)).long()
    estimate = float(losses.denoising_discrepancy(change[some], some, steps, power))
    assert estimate == pytest.approx(exact, rel=0.1)


@pytest.mark.parametrize("norm", ["sum", "mean"])
def test_the_gradient_of_dd_loss_is_its_finite_difference_where_nothing_is_stopped(
    norm: str,
) -> None:
    variance = losses.posterior_variance(TIMES, LEVELS)
    m = means(requires_grad=True)
    losses.dd_loss(m, variance, TIMES, T, norm).sum().backward()
    step = 1e-6
    for name in ("pg", "p"):
        leaf = getattr(m, name)
        for place in ((0, 0, 0, 0), (2, 1, 2, 0), (4, 3, 1, 1)):
            moved = []
            for sign in (1, -1):
                values = {n: getattr(m, n).detach().clone() for n in ("pg", "p", "g", "none")}
                values[name][place] += sign * step
                loss = losses.dd_loss(Means(**values), variance, TIMES, T, norm)
                moved.append(float(loss.sum()))
            slope = (moved[0] - moved[1]) / (2 * step)
            assert float(leaf.grad[place]) == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_independent_concepts_cost_nothing() -> None:
    # μ_pg = μ_p and μ_g = μ_∅: the target's presence says nothing of the general text.
    m = Means(random(1), random(1), random(2), random(2))
    assert (
        float(losses.dd_loss(m, losses.posterior_variance(TIMES, LEVELS), TIMES, T).abs().max())
        == 0
    )


def test_gradients_stop_at_the_general_text_and_the_empty_one_only() -> None:
    m = means(requires_grad=True)
    variance = losses.posterior_variance(TIMES, LEVELS)
    losses.dd_loss(m, variance, TIMES, T).sum().backward()
    assert m.g.grad is None and m.none.grad is None
    sign = losses.dependence_change(m, variance).sign()
    scale = (sign * (TIMES + 1) / T / (2 * variance)).view(-1, 1, 1, 1) * 2
    torch.testing.assert_close(m.p.grad, scale * (m.p - m.pg))
    torch.testing.assert_close(m.pg.grad, scale * ((m.pg - m.p) + (m.pg - m.g) - (m.pg - m.none)))


def test_pd_loss_written_out_and_its_gradient() -> None:
    f_p, f_s, f_g = random(1, 2, 6).requires_grad_(), random(2, 1, 6), random(3, 4, 6)

    def cos(a: Tensor, b: Tensor) -> float:
        dot = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
        return dot / math.sqrt(float(a.square().sum()) * float(b.square().sum()))

    expected = sum(abs(cos(p, g) - cos(f_s[0], g)) for p in f_p for g in f_g) / 8
    loss = losses.pd_loss(f_p, f_s, f_g)
    assert float(loss) == pytest.approx(expected, rel=1e-12)
    loss.backward()
    assert f_p.grad is not None
    step = 1e-6
    for place in ((0, 0), (0, 3), (1, 5)):
        moved = []
        for sign in (1, -1):
            other = f_p.detach().clone()
            other[place] += sign * step
            moved.append(float(losses.pd_loss(other, f_s, f_g)))
        slope = (moved[0] - moved[1]) / (2 * step)
        assert float(f_p.grad[place]) == pytest.approx(slope, rel=1e-6, abs=1e-9)
    toward = sum(abs(cos(p, g) + 1) for p in f_p for g in f_g) / 8
    assert float(losses.pd_loss(f_p, f_s, f_g, target=-1.0)) == pytest.approx(toward, rel=1e-12)
    discrepancy = losses.prior_discrepancy(f_p, f_s, f_g)
    assert float(discrepancy) == pytest.approx(expected) and not discrepancy.requires_grad
    assert float(losses.pd_loss(f_s * 3, f_s, f_g)) == pytest.approx(0, abs=1e-12)


def test_mse_is_per_sample_and_in_full_precision() -> None:
    output, wanted = random(1).half(), random(2)
    got = losses.mse(output, wanted.half())
    assert got.shape == (5,) and got.dtype == torch.float32
    expected = (output.double() - wanted.half().double()).square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(got.double(), expected, rtol=1e-5, atol=1e-6)


def test_the_losses_know_only_tensors() -> None:
    source = ast.parse(Path(losses.__file__).read_text(encoding="utf-8"))
    names = {
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(source)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert names == {"__future__", "dataclasses", "torch", "studio.diffusion"}  # its formulas
