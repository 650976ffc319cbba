"""Settings of the sampler that are refused would indeed be wrong: each is shown against a plain reckoning."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from studio.diffusion import sampling, schedulers, times
from studio.diffusion.progress import times_of
from studio.errors import StudioError
from studio.preset import Sampler, validate
from studio.preset.schedulers import SCHEDULERS

Patch = pytest.MonkeyPatch


def test_cfgpp_over_a_scheduler_that_remembers_is_not_cfgpp() -> None:
    """x′ = α′·x̂₀ + σ′·ε_0 (Chung et al. 2024) asks for one prediction, as DDIM's step does. The step
    of DPM-Solver++ 2M holds the one before too, so that no noise of one step can be exchanged."""
    with pytest.raises(StudioError, match=r"cfgpp: .*ddim.*got DPM-Solver\+\+ 2M \(dpm\+\+\)"):
        validate({"base": "base", "cfgpp": True, "sampler": {"scheduler": "dpm++"}, "rows": []})
    chance = torch.Generator().manual_seed(1)
    noise, now, one, other = (torch.randn(1, 4, 4, 4, generator=chance) for _ in range(4))

    def after(name: str, before: torch.Tensor) -> torch.Tensor:
        scheduler: Any = schedulers.scheduler_for(Sampler(scheduler=name, steps=4), {})
        first, second = scheduler.timesteps[:2]
        scheduler.step(before, first, noise)
        return scheduler.step(now, second, noise).prev_sample

    assert torch.equal(after("ddim", one), after("ddim", other))
    assert (after("dpm++", one) - after("dpm++", other)).abs().max() > 0.05


def test_eta_is_unknown_to_schedulers_whose_noise_is_fixed() -> None:
    with pytest.raises(StudioError, match=r"sampler\.eta: .*ddim.*got UniPC \(unipc\)"):
        validate({"base": "base", "sampler": {"scheduler": "unipc", "eta": 0.5}, "rows": []})
    scheduler = schedulers.scheduler_for(Sampler(scheduler="unipc", steps=2), {})
    noise = torch.randn(1, 4, 4, 4)
    with pytest.raises(TypeError, match="eta"):
        list(sampling.sample(lambda _k, z, _t: z, noise, scheduler, [], eta=0.5))


def test_a_noise_schedule_that_a_scheduler_does_not_know_would_change_nothing(
    monkeypatch: Patch,
) -> None:
    plain, karras = (
        Sampler(scheduler="ddim", steps=5, schedule=s) for s in ("automatic", "karras")
    )
    with pytest.raises(
        StudioError, match=r"sampler\.schedule: DDIM \(ddim\) takes no Karras .*trailing"
    ):
        times.check(karras, {})
    for module in (times, schedulers):
        monkeypatch.setattr(module, "check", lambda sampler, *_: SCHEDULERS[sampler.scheduler])
    one, other = (schedulers.scheduler_for(sampler, {}).timesteps for sampler in (plain, karras))
    assert torch.equal(one, other)


def test_noise_that_reaches_zero_signal_is_another_table_to_schedulers_that_know_none(
    monkeypatch: Patch,
) -> None:
    config = {"rescale_betas_zero_snr": True, "beta_schedule": "scaled_linear"}
    with pytest.raises(StudioError, match=r"sampler\.scheduler: 'pndm'"):
        schedulers.make_scheduler("pndm", config)
    trained = schedulers.make_scheduler("ddim", config).alphas_cumprod
    without = {k: v for k, v in config.items() if k != "rescale_betas_zero_snr"}
    theirs = schedulers.make_scheduler("pndm", without).alphas_cumprod
    assert trained[-1] < 1e-6 < 1e-4 < theirs[-1]
    assert (trained.sqrt() - theirs.sqrt()).abs().max() > 0.01


def test_more_steps_than_a_distilled_model_has_would_come_twice(monkeypatch: Patch) -> None:
    sampler = Sampler(scheduler="lcm", steps=60)
    with pytest.raises(
        StudioError, match=r"sampler\.steps: LCM \(lcm\) takes at most 50 steps, got 60"
    ):
        times.check(sampler, {})
    monkeypatch.setattr(times, "check", lambda sampler, *_: SCHEDULERS[sampler.scheduler])
    found = times_of(sampler, {})
    assert len(set(found.tolist())) < len(found)
