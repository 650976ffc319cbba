"""Time steps in closed form against diffusers' own schedulers, over all of the table."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
import torch

from studio.diffusion import times
from studio.diffusion.noise_table import of_size
from studio.diffusion.progress import progress_of, times_of
from studio.diffusion.sampling import Picture, noise_level, noise_levels, sample
from studio.diffusion.schedulers import evaluations, first_evaluation, scheduler_for
from studio.errors import BadPreset, IncompatibleModels
from studio.preset import Sampler
from studio.preset.schedulers import SCHEDULERS
from tests.support import REPOSITORY

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # diffusers on numpy 2
SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
BASES: dict[str, dict[str, Any]] = {
    "sd": {**SCALED, "timestep_spacing": "leading", "steps_offset": 1},
    "cosine": {"beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "trailing"},
    "bare": {},
    "flow": {"prediction_type": times.FLOW, "flow_shift": 3.0},
    "by size": {
        "prediction_type": times.FLOW,
        "use_dynamic_shifting": True,
        "own_sigmas": True,
        "shift_terminal": 0.02,
    },
}
CASES = [
    (name, base)
    for name, kind in SCHEDULERS.items()
    for base, config in BASES.items()
    if (kind.flow if times.is_flow(config) else kind.kind)
]


@pytest.mark.parametrize(("name", "base"), CASES)
def test_times_are_the_schedulers_own(name: str, base: str) -> None:
    config = BASES[base]
    for schedule in SCHEDULERS[name].takes(times.is_flow(config)):
        for steps, first in ((1, 0), (9, 2)):
            sampler = Sampler(scheduler=name, schedule=schedule, steps=steps)
            ours = times_of(sampler, config, first)
            theirs = evaluations(sampler, config, first)
            # σ to t is rounded in some schedulers and not in others: at most one of 1000 steps.
            even = schedule in ("automatic", "normal", "trailing") and not name.startswith("dpm2")
            # DPM2 ancestral's middle is a difference of float32 that are close at the start.
            near = 1e-3 if even else 2.0 if name == "dpm2_a" else 1.0
            assert ours == pytest.approx(theirs, abs=near), (schedule, steps)


@pytest.mark.parametrize(("name", "base"), CASES)
def test_levels_said_ahead_are_those_that_a_run_comes_to(name: str, base: str) -> None:
    config = BASES[base]
    schedules = SCHEDULERS[name].takes(times.is_flow(config))
    # Of many steps some are rounded to the same time step, by some schedules.
    many = [one for one in schedules if base in ("sd", "flow") and one != "automatic"]
    for schedule, steps in (("automatic", 5), *((one, 60) for one in many)):
        scheduler = scheduler_for(Sampler(scheduler=name, schedule=schedule, steps=steps), config)
        start = first_evaluation(scheduler, 1)
        ahead = noise_levels(scheduler, start)
        met = levels_met(scheduler, start)
        assert len(ahead) == len(met)
        assert torch.equal(torch.tensor(ahead), torch.tensor(met)), schedule


def levels_met(scheduler: Any, start: int) -> list[Any]:
    """The noise levels that a run comes to."""
    met = []

    def denoise(_: int, z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        met.append(noise_level(scheduler, t))
        return 0.1 * z

    noise, generator = torch.ones(1, 4, 8, 8), torch.Generator().manual_seed(0)
    picture = Picture(torch.zeros_like(noise), start)
    list(sample(denoise, noise, scheduler, [generator], picture))
    return met


@pytest.mark.parametrize("steps", [4, 50, 200])
@pytest.mark.parametrize("edge", [512, 1024, 2048])
def test_flux2_shifts_as_its_pipeline_does(edge: int, steps: int) -> None:
    from diffusers.modular_pipelines.flux2.before_denoise import compute_empirical_mu

    config = {"prediction_type": "flow_prediction", "use_dynamic_shifting": True, "position": 16}
    sampler = Sampler(width=edge, height=edge, steps=steps)
    found = of_size({**config, "shift_rule": "flux2"}, sampler)["shift"]
    assert math.log(found) == pytest.approx(compute_empirical_mu((edge // 16) ** 2, steps))


def test_zero_signal_at_the_first_step() -> None:
    config = {**SCALED, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    for name in ("dpm++", "ddim", "euler", "unipc", "ddpm"):
        sampler = Sampler(scheduler=name, steps=10)
        assert times_of(sampler, config) == pytest.approx(evaluations(sampler, config, 0))
    with pytest.raises(IncompatibleModels, match=r"sampler\.scheduler.*zero signal"):
        evaluations(Sampler(scheduler="heun", steps=10), config, 0)


@pytest.mark.parametrize(
    ("sampler", "base", "error"),
    [
        ({"scheduler": "ddim"}, "flow", r"sampler\.scheduler: DDIM \(ddim\) cannot follow.*a flow"),
        (
            {"schedule": "karras"},
            "flow",
            r"sampler\.schedule: DPM-Solver\+\+ 2M \(dpm\+\+\) takes no Karras \(karras\)",
        ),
        ({"scheduler": "lcm", "steps": 51}, "sd", r"sampler\.steps: LCM \(lcm\) takes at most 50"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    sampler: dict[str, Any], base: str, error: str
) -> None:
    with pytest.raises((BadPreset, IncompatibleModels), match=error):
        progress_of(Sampler(**sampler), BASES[base])


def test_a_schedule_made_for_families_is_refused_for_others() -> None:
    sampler = Sampler(schedule="align_your_steps", steps=10)
    with pytest.raises(IncompatibleModels, match="made for sd1, sdxl; this base is 'sd2'"):
        progress_of(sampler, BASES["sd"], family="sd2")
    for family, published in (
        ("sd1", [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]),
        ("sdxl", [999, 845, 730, 587, 443, 310, 193, 116, 53, 13]),
    ):
        assert times_of(sampler, BASES["sd"], family=family).tolist() == published


def test_no_torch_is_loaded_for_any_scheduler() -> None:
    code = """
import sys
from studio.diffusion.noise_table import FLOW
from studio.diffusion.noise_table import of_size
from studio.diffusion.progress import progress_of
from studio.preset import Sampler
from studio.preset.schedulers import SCHEDULERS
for name, kind in SCHEDULERS.items():
    for flow in (False, True):
        if kind.flow if flow else kind.kind:
            for schedule in kind.takes(flow):
                config = {"prediction_type": FLOW} if flow else {}
                progress_of(Sampler(scheduler=name, schedule=schedule), config)
print(sorted({"torch", "diffusers"} & set(sys.modules)))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert found.stdout.strip() == "[]"
