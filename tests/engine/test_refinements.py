"""Refinements of one step, against diffusers and loops by hand in float64."""

# ruff: noqa: F811 - the fixtures are imported
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.guiders.adaptive_projected_guidance import MomentumBuffer, normalized_guidance
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from torch import Tensor

from studio.diffusion.parameterisation import from_epsilon, to_sample
from studio.engine import Engine
from studio.engine.combine import Assembly, drifts
from studio.engine.networks.loader import Loader
from studio.events import Done
from studio.library import Library
from studio.plan import compile_plan
from tests.support.one_step import (  # noqa: F401
    ALPHA,
    LEVEL,
    SIGMA,
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


@pytest.mark.parametrize("phi", [0.3, 1.0])
def test_rescale_of_one_row_is_diffusers(
    loader: Loader, root: Path, predict: Predict, phi: float
) -> None:
    denoise = denoiser(
        loader, root, preset_of({"prompt": "x", "weight": 7.5}, guidance_rescale=phi)
    )
    free, told = predict(""), predict("x")
    expected = rescale_noise_cfg(free + 7.5 * (told - free), told, phi)
    assert (denoise(0, Z, T, *LEVEL) - expected).abs().max() < 1e-8
    assert denoise.forwards == 2 * len(Z)


def test_rescale_of_several_rows(loader: Loader, root: Path, predict: Predict) -> None:
    """The reference takes each positive direction once, negative rows not at all."""
    rows = [
        {"prompt": "x", "weight": 2.0},
        {"prompt": "x", "weight": 3.0},
        {"prompt": "y", "weight": 1.5, "mask": "white.png"},
        {"prompt": "bad", "weight": -2.0},
    ]
    free = predict("")
    x, y, bad = (predict(p) - free for p in ("x", "y", "bad"))
    expected = rescale_noise_cfg(free + 5 * x + 1.5 * y - 2 * bad, free + x + y, 0.6)
    got = denoiser(loader, root, preset_of(*rows, guidance_rescale=0.6))(0, Z, T, *LEVEL)
    assert (got - expected).abs().max() < 1e-8


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_rescale_is_made_in_the_schedulers_parameterisation(
    loader: Loader, root: Path, predict: Predict, prediction: str
) -> None:
    preset = preset_of({"prompt": "x", "weight": 5.0}, guidance_rescale=0.7)
    got = denoiser(loader, root, preset, prediction=prediction)(0, Z, T, *LEVEL)

    def told(eps: Tensor) -> Tensor:
        return eps if prediction == "epsilon" else (eps - SIGMA * Z) / ALPHA

    free, cond = told(predict("")), told(predict("x"))
    expected = rescale_noise_cfg(free + 5.0 * (cond - free), cond, 0.7)
    assert (got - expected).abs().max() < 1e-8


APG = {"eta": 0.2, "norm_threshold": 1.5, "momentum": -0.5}


def clean(eps: Tensor) -> Tensor:
    return (Z - SIGMA * eps) / ALPHA


def noise_of(x: Tensor) -> Tensor:
    return (Z - ALPHA * x) / SIGMA


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_projection_of_one_row_is_algorithm_1_on_finished_latents(
    loader: Loader, root: Path, predict: Predict, phi: float
) -> None:
    preset = preset_of({"prompt": "x", "weight": 4.0}, apg=APG, guidance_rescale=phi)
    denoise = denoiser(loader, root, preset)
    buffer = MomentumBuffer(-0.5)
    for step in range(3):  # the running average is over steps
        told, free = clean(predict("x")), clean(predict(""))
        expected = noise_of(  # the original formulation: D_c + (w − 1)·N, here with w = 4
            normalized_guidance(told, free, 3.0, buffer, 0.2, 1.5, use_original_formulation=True)
        )
        if phi:
            expected = rescale_noise_cfg(expected, predict("x"), phi)
        assert (denoise(step, Z, T, *LEVEL) - expected).abs().max() < 1e-8


@pytest.mark.parametrize("kind", ["v_prediction", "sample"])
def test_projection_is_the_same_whatever_networks_predict(loader: Loader, kind: str) -> None:
    """The same noise told in another way is moved to the same finished latent."""
    preset = preset_of({"prompt": "x", "weight": 4.0}, {"prompt": "y", "weight": -2.0}, apg=APG)
    plan = compile_plan(preset, loader.library)
    noises = {i: torch.randn_like(Z) for i in range(len(plan.passes))}
    told = {i: from_epsilon(eps, Z, *LEVEL, kind) for i, eps in noises.items()}
    plain, other = Assembly(plan, "epsilon"), Assembly(plan, kind)
    for step in range(2):
        by_noise = plain.combine(step, noises, dict.fromkeys(noises, "epsilon"), Z, LEVEL).output
        got = other.combine(step, told, dict.fromkeys(told, kind), Z, LEVEL).output
        assert (to_sample(got, Z, *LEVEL, kind) - clean(by_noise)).abs().max() < 1e-8


def test_projection_of_several_rows(loader: Loader, root: Path, predict: Predict) -> None:
    """What is beyond the reference is projected along it, direction by direction, under its mask."""
    preset = preset_of(
        {"prompt": "x", "weight": 1.0},
        {"prompt": "x", "weight": 1.0},
        {"prompt": "y", "weight": 3.0, "mask": "mask.png"},
        {"prompt": "bad", "weight": -1.0},
        apg={"eta": 0.0},
    )
    denoise = denoiser(loader, root, preset)
    got = denoise(0, Z, T, *LEVEL)
    mask = denoise.masks["mask.png"].double()
    free = clean(predict(""))
    x, y, bad = (clean(predict(p)) - free for p in ("x", "y", "bad"))
    reference = free + x + mask * y

    def across(direction: Tensor, along: Tensor) -> Tensor:
        a, d = along.flatten(1), direction.flatten(1)
        part = (d * a).sum(1, keepdim=True) / (a * a).sum(1, keepdim=True)
        return (d - part * a).view_as(direction)

    expected = reference + (2 - 1) * across(x, reference) - across(bad, reference)
    expected = expected + (3 - 1) * across(mask * y, mask * reference)
    assert (got - noise_of(expected)).abs().max() < 1e-8
    assert denoise.forwards == 4 * len(Z)


def test_neutral_refinements_are_the_plain_sum(loader: Loader, root: Path) -> None:
    rows = {"prompt": "x", "weight": 4.0}, {"prompt": "bad", "weight": -3.0}
    plain, neutral = preset_of(*rows), preset_of(*rows, guidance_rescale=0.0, apg={"eta": 1.0})
    plans = [compile_plan(p, loader.library) for p in (plain, neutral)]
    assert plans[0] == plans[1]
    nearly = denoiser(loader, root, preset_of(*rows, apg={"norm_threshold": 1e6}))
    expected = denoiser(loader, root, plain)(0, Z, T, *LEVEL)
    assert (nearly(0, Z, T, *LEVEL) - expected).abs().max() < 1e-10


@pytest.mark.parametrize("omega", [0.0, 0.5, 1.0])
def test_cfgpp_puts_back_the_unconditional_noise(
    loader: Loader, root: Path, predict: Predict, omega: float
) -> None:
    """θ_ω included; and the pass runs though at weight 1 the sum does not need it."""
    for weight in (0.4, 1.0):
        row = {"prompt": "x", "weight": weight, "model": STYLE}
        denoise = denoiser(loader, root, preset_of(row, omega=omega, cfgpp=True))
        told = denoise.predict(0, Z, T, *LEVEL)
        weak = predict("", 0.7 * omega)
        assert told.renoise is not None
        assert (told.renoise - weak).abs().max() < 1e-8
        expected = weak + weight * (predict("x", 0.7) - weak)
        assert (told.output - expected).abs().max() < 1e-8
        assert denoise.forwards == 2 * len(Z)


def test_cfgpp_from_noise_to_image_by_hand(root: Path) -> None:
    """``z′ = α′·x₀(ε̂) + σ′·ε_{θ_ω}(z, φ)`` step by step, ω = 0 (Steering Guidance, "Ours++")."""
    row = {"prompt": "cat", "weight": 40.0, "model": STYLE}  # a random network hears little
    engine = Engine(device="cpu", library=Library((root,)), image_roots=[root])
    done = next(e for e in engine.generate(preset_of(row, cfgpp=True)) if isinstance(e, Done))
    plain = next(e for e in engine.generate(preset_of(row)) if isinstance(e, Done))
    prior, tuned = (
        StableDiffusionPipeline.from_pretrained(root / "base", safety_checker=None)
        for _ in range(2)
    )
    tuned.load_lora_weights(root / "base/style")
    tuned.set_adapters("default_0", 0.7)
    scheduler = prior.scheduler
    scheduler.set_timesteps(4)
    null, cat = (prior.encode_prompt(p, "cpu", 1, False)[0] for p in ("", "cat"))
    z = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(7))
    levels = [scheduler.alphas_cumprod[t] for t in scheduler.timesteps]
    with torch.no_grad():
        for t, now, then in zip(
            scheduler.timesteps, levels, [*levels[1:], scheduler.final_alpha_cumprod], strict=True
        ):
            free, told = prior.unet(z, t, null).sample, tuned.unet(z, t, cat).sample
            x = (z - (1 - now).sqrt() * (free + 40.0 * (told - free))) / now.sqrt()
            z = then.sqrt() * x + (1 - then).sqrt() * free
        image = prior.vae.decode(z / prior.vae.config.scaling_factor).sample[0]
    expected = ((image.clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 0).numpy().astype(int)
    assert np.abs(np.asarray(done.image).astype(int) - expected).max() <= 1
    assert np.abs(np.asarray(plain.image).astype(int) - expected).max() > 5


def test_drift_where_both_passes_run(loader: Loader, root: Path, predict: Predict) -> None:
    rows = [
        {"prompt": "x", "weight": 2.0, "model": STYLE, "reference": "own"},
        {"prompt": "y", "weight": 3.0, "model": STYLE},
        {"prompt": "", "weight": 0.5},
    ]
    denoise = denoiser(loader, root, preset_of(*rows, omega=0.5))
    denoise(0, Z, T, *LEVEL)
    (drift,) = denoise.assembly.drifts
    by_hand = (predict("", 0.35) - predict("")).square().mean().sqrt()
    assert list(drift.values()) == pytest.approx([float(by_hand)], rel=1e-6)
    denoise = denoiser(loader, root, preset_of(rows[1], omega=0.5))
    denoise(0, Z, T, *LEVEL)
    assert denoise.assembly.drifts == [{}]  # the prior's own null pass does not run


def test_drift_is_measured_when_asked_for_its_price(
    loader: Loader, root: Path, predict: Predict
) -> None:
    rows = [{"prompt": "y", "weight": 3.0, "model": STYLE}, {"prompt": "a", "weight": 1.0}]
    plain = denoiser(loader, root, preset_of(*rows, omega=0.5))
    asked = denoiser(loader, root, preset_of(*rows, omega=0.5), drift_every=2)
    for step in range(4):
        got, expected = (d(step, Z, T, *LEVEL) for d in (asked, plain))
        assert (got - expected).abs().max() < 1e-12
    # θ and θ′ under φ, beside the three passes of the sum, at steps 0 and 2
    assert asked.plan.forwards_per_step == (5, 3, 5, 3)
    assert asked.forwards == plain.forwards + 4 * len(Z)
    by_hand = float((predict("", 0.7) - predict("")).square().mean().sqrt())
    name = "(base + 0.7·Δ[base/style])"
    measured = next(one.norm for one in drifts(asked.assembly) if one.weights == name)
    assert measured[0] == pytest.approx(by_hand, rel=1e-6) and measured[1] is None
    assert plain.assembly.drifts == [{}] * 4
