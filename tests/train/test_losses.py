"""Training's losses against the papers' formulas by hand, in float64."""

from __future__ import annotations

import ast
import math
from pathlib import Path

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


def test_dependence_change_and_dd_loss_written_out() -> None:
    m, variance = means(), losses.posterior_variance(TIMES, LEVELS)
    change = losses.dependence_change(m, variance)
    loss = losses.dd_loss(m, variance, TIMES, T)
    for b, t in enumerate(TIMES.tolist()):

        def apart(other: Tensor, b: int = b) -> float:
            return sum(float(x) ** 2 for x in (m.pg[b] - other[b]).flatten()) / other[b].numel()

        d = (apart(m.p) + apart(m.g) - apart(m.none)) / (2 * float(variance[b]))
        assert float(change[b]) == pytest.approx(d, rel=1e-10)
        assert float(loss[b]) == pytest.approx((t + 1) / T * abs(d), rel=1e-10)
    assert float(losses.denoising_discrepancy(change, T)) == pytest.approx(
        T * float(change.abs().mean())
    )


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
    scale = (sign * (TIMES + 1) / T / (2 * variance)).view(-1, 1, 1, 1) * 2 / m.pg[0].numel()
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
    assert f_p.grad is not None and float(f_p.grad.abs().sum()) > 0
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
    assert names == {"__future__", "dataclasses", "torch"}
