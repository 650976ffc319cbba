"""Schedulers along a flow, and at published times, against diffusers' own; names of other tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import diffusers
import pytest
import torch

from studio.diffusion import sampling
from studio.diffusion.schedulers import scheduler_for
from studio.diffusion.times import FLOW
from studio.preset import Sampler
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.scheduler_kind import named
from studio.preset.schedulers import SCHEDULERS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # diffusers on numpy 2
SDE = {"algorithm_type": "sde-dpmsolver++"}
SINGLE = {"lower_order_final": True}
BY_HAND = {
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
    "beta": {"use_beta_sigmas": True},
}
# Written by hand from diffusers' documentation: the class and its settings along a flow.
FLOWS: dict[str, tuple[str, dict[str, Any]]] = {
    "dpm++": ("DPMSolverMultistep", {}),
    "dpm++_2m_sde": ("DPMSolverMultistep", SDE),
    "dpm++_3m_sde": ("DPMSolverMultistep", {**SDE, "solver_order": 3}),
    "dpm++_2s": ("DPMSolverSinglestep", SINGLE),
    "dpm++_sde": ("DPMSolverSinglestep", {**SINGLE, **SDE}),
    "unipc": ("UniPCMultistep", {}),
    "euler": ("FlowMatchEulerDiscrete", {}),
    "heun": ("FlowMatchHeunDiscrete", {}),
    "lcm": ("FlowMatchLCM", {}),
}
NOISE = torch.linspace(-2, 2, 9).reshape(1, 1, 3, 3)


def test_every_flow_has_its_oracle() -> None:
    assert set(FLOWS) == {name for name, kind in SCHEDULERS.items() if kind.flow}


def velocity(z: torch.Tensor) -> torch.Tensor:
    """A prediction of no meaning that bends with the latent."""
    return torch.sin(2 * z) + 0.3 * z


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_is_diffusers(name: str) -> None:
    """A loop of a few lines over their class, to the bit."""
    for schedule in SCHEDULERS[name].takes(True):
        kind, settings = FLOWS[name]
        given: Mapping[str, Any] = {**settings, **BY_HAND.get(schedule, {})}
        if kind.startswith("FlowMatch"):
            theirs: Any = getattr(diffusers, f"{kind}Scheduler")(shift=3.0, **given)
        else:
            theirs = getattr(diffusers, f"{kind}Scheduler")(
                prediction_type=FLOW, use_flow_sigmas=True, flow_shift=3.0, **given
            )
        theirs.set_timesteps(6)
        z, generator = NOISE, torch.Generator().manual_seed(0)
        takes = "generator" in theirs.step.__code__.co_varnames
        for t in theirs.timesteps:
            more = {"generator": generator} if takes else {}
            z = theirs.step(velocity(z), t, z, **more).prev_sample
        config = {"prediction_type": FLOW, "flow_shift": 3.0}
        ours = scheduler_for(Sampler(scheduler=name, steps=6, schedule=schedule), config)
        steps = sampling.sample(
            lambda _, z, t: velocity(z), NOISE, ours, [torch.Generator().manual_seed(0)]
        )
        *_, last = steps
        assert torch.equal(last.latent, z), schedule


AT_TIMES = [name for name, kind in SCHEDULERS.items() if "align_your_steps" in kind.schedules]


@pytest.mark.parametrize("name", AT_TIMES)
def test_published_times_reach_diffusers_class(name: str) -> None:
    """Every scheduler that takes them runs at them, as diffusers' class does when it is given them."""
    times = [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]
    config = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    sampler = Sampler(scheduler=name, steps=10, schedule="align_your_steps")
    ours = scheduler_for(sampler, config, family="sd1")
    kind = SCHEDULERS[name]
    theirs: Any = getattr(diffusers, kind.kind)(**config, **kind.settings)
    theirs.set_timesteps(timesteps=times)
    assert torch.equal(ours.timesteps, theirs.timesteps)
    assert set(ours.timesteps.round().int().tolist()) == set(times)
    if hasattr(theirs, "sigmas"):
        assert torch.equal(ours.sigmas, theirs.sigmas)


def test_sgm_uniform_is_trailing() -> None:
    """In diffusers both are one setting, whose pictures are compared under the one name."""
    one, other = (NOISE_SCHEDULES[name].settings for name in ("sgm_uniform", "trailing"))
    assert one == other == {"timestep_spacing": "trailing"}


def test_each_name_in_another_tool_is_one_scheduler() -> None:
    """A name for which another one only stands is never taken for the same."""
    for name, kind in SCHEDULERS.items():
        for theirs in filter(None, (kind.a1111, kind.comfyui, *kind.also)):
            assert named(theirs) == (name, True)
        for near in kind.near:
            assert named(near) == (name, False)
    assert named("dpmpp_sde") == named("DPM++ SDE") == ("dpm++_sde", False)  # two evaluations there
