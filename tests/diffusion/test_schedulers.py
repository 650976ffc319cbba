"""The table of schedulers against diffusers' own pipeline, plain loops, and from outside."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import EulerDiscreteScheduler

from studio.diffusion import sampling
from studio.diffusion.schedulers import scheduler_for
from studio.engine import Engine
from studio.errors import StudioError
from studio.events import Done, Progress
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.preset import Preset, Sampler, validate
from studio.preset.scheduler_kind import named
from studio.preset.schedulers import SCHEDULERS, SchedulerKind
from tests.support import tiny
from tests.support.tiny_pictures import give_levels

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # diffusers on numpy 2
SDE = {"algorithm_type": "sde-dpmsolver++"}
SINGLE = {"lower_order_final": True}
# Written by hand from diffusers' documentation: the class and its settings.
THEIRS: dict[str, tuple[str, dict[str, Any]]] = {
    "dpm++": ("DPMSolverMultistep", {}),
    "dpm++_2m_sde": ("DPMSolverMultistep", SDE),
    "dpm++_3m_sde": ("DPMSolverMultistep", {**SDE, "solver_order": 3}),
    "dpm++_2s": ("DPMSolverSinglestep", SINGLE),
    "dpm++_sde": ("DPMSolverSinglestep", {**SINGLE, **SDE}),
    "ddim": ("DDIM", {"clip_sample": False}),
    "ddpm": ("DDPM", {"clip_sample": False}),
    "euler": ("EulerDiscrete", {}),
    "euler_a": ("EulerAncestralDiscrete", {}),
    "unipc": ("UniPCMultistep", {}),
    "deis": ("DEISMultistep", {}),
    "sa_solver": ("SASolver", {}),
    "heun": ("HeunDiscrete", {}),
    "dpm2": ("KDPM2Discrete", {}),
    "dpm2_a": ("KDPM2AncestralDiscrete", {}),
    "lms": ("LMSDiscrete", {}),
    "pndm": ("PNDM", {"skip_prk_steps": True}),
    "lcm": ("LCM", {}),
    "tcd": ("TCD", {}),
}
BY_HAND = {
    "normal": {"timestep_spacing": "linspace"},
    "trailing": {"timestep_spacing": "trailing"},
    "karras": {"use_karras_sigmas": True},
    "exponential": {"use_exponential_sigmas": True},
    "beta": {"use_beta_sigmas": True},
    "lu": {"use_lu_lambdas": True},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny.pipeline(folder / "base", spacing="leading")
    return folder


@pytest.fixture(scope="module")
def engine(root: Path) -> Engine:
    return Engine(device="cpu", library=Library((root,)), exact=True)


def preset(**sampler: Any) -> Preset:
    # At weight 1 the sum is the row's own prediction: what is compared is the scheduler alone.
    rows = [{"prompt": "cat", "weight": 1.0}]
    return validate({"base": "base", "rows": rows, "sampler": {"steps": 6, "seed": 3, **sampler}})


def make(engine: Engine, **sampler: Any) -> list[Done]:
    return [one for one in engine.generate(preset(**sampler)) if isinstance(one, Done)]


def picture(engine: Engine, **sampler: Any) -> np.ndarray:
    return np.asarray(make(engine, **sampler)[0].image)


@cache
def loaded(root: Path) -> tuple[Any, dict[str, Any]]:
    """diffusers' pipeline, whose scheduler each test sets, and its own scheduler's config."""
    pipe = tiny.load(root / "base")
    return pipe, dict(pipe.scheduler.config)


def theirs(root: Path, name: str, schedule: str, **arguments: Any) -> np.ndarray:
    pipe, own = loaded(root)
    kind, settings = THEIRS[name]
    made = getattr(diffusers, f"{kind}Scheduler")
    config = {**own, **settings, **BY_HAND.get(schedule, {})}
    pipe.scheduler = made.from_config(config)
    if name == "euler_a" and schedule in ("karras", "exponential", "beta"):
        give_levels(pipe.scheduler, EulerDiscreteScheduler.from_config(config))
    arguments.setdefault("eta", SCHEDULERS[name].eta or 0.0)
    image = pipe(
        "cat",
        guidance_scale=1.0,
        num_inference_steps=6,
        generator=torch.Generator().manual_seed(3),
        **arguments,
    ).images[0]
    return np.asarray(image)


def test_every_scheduler_but_our_own_has_its_oracle() -> None:
    assert set(SCHEDULERS) - set(THEIRS) == {"ipndm"}


@pytest.mark.parametrize("name", THEIRS)
def test_pictures_are_diffusers_bit_for_bit(engine: Engine, root: Path, name: str) -> None:
    for schedule in SCHEDULERS[name].takes(False):
        if schedule in ("automatic", *BY_HAND):
            ours = picture(engine, scheduler=name, schedule=schedule)
            assert (ours == theirs(root, name, schedule)).all(), schedule


def test_align_your_steps_is_diffusers_with_its_published_times(engine: Engine, root: Path) -> None:
    ours = picture(engine, scheduler="dpm++", schedule="align_your_steps", steps=10)
    times = [999, 850, 736, 645, 545, 455, 343, 233, 124, 24]
    pipe = tiny.load(root / "base")
    pipe.scheduler = diffusers.DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    expected = pipe(
        "cat",
        guidance_scale=1.0,
        timesteps=times,
        generator=torch.Generator().manual_seed(3),
    ).images[0]
    assert (ours == np.asarray(expected)).all()


@pytest.mark.parametrize(("name", "eta"), [("ddim", 0.6), ("ddim", 1.0), ("tcd", 0.0)])
def test_eta_is_diffusers(engine: Engine, root: Path, name: str, eta: float) -> None:
    ours = picture(engine, scheduler=name, eta=eta)
    assert (ours == theirs(root, name, "automatic", eta=eta)).all()
    assert (ours != picture(engine, scheduler=name)).any()


def gaussian(scheduler: Any, count: int = 1) -> torch.Tensor:
    """Where a scheduler leads from fixed noise for data ~ N(0.3, 0.5²), whose score is known."""

    def denoise(step: int, z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha, sigma = sampling.noise_level(scheduler, t)
        spread = alpha**2 * 0.25 + sigma**2
        clean = 0.3 + alpha * 0.25 / spread * (z - alpha * 0.3)  # E[x₀ | z]
        return (z - alpha * clean) / sigma

    noise = torch.linspace(-2, 2, 9).reshape(1, 1, 3, 3)
    *_, last = sampling.sample(denoise, noise, scheduler, [torch.Generator().manual_seed(0)])
    return last.latent


ODE = [name for name, kind in SCHEDULERS.items() if not kind.random and kind.kind]


@pytest.mark.parametrize("name", ODE)
def test_many_steps_solve_the_flow_of_a_gaussian(name: str) -> None:
    """The exact solution keeps a latent's place among others: x₀ = 0.3 + 0.5·(z_T − ᾱ·0.3)/s_T."""
    config = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    scheduler = scheduler_for(Sampler(scheduler=name, steps=100), config)
    alpha, sigma = sampling.noise_level(scheduler, scheduler.timesteps[0])
    start = torch.linspace(-2, 2, 9).reshape(1, 1, 3, 3)
    if float(scheduler.init_noise_sigma) != 1.0:  # over σ/α, in which the start has no mean
        start = start * float(scheduler.init_noise_sigma) * alpha
    spread = (alpha**2 * 0.25 + sigma**2).sqrt()
    exact = 0.3 + 0.5 * (start - alpha * 0.3) / spread
    # First-order methods of 100 steps err by 0.02 here, DEIS keeps the table's least noise.
    assert (gaussian(scheduler) - exact).abs().max() < 0.04


def test_ipndm_is_adams_bashforth() -> None:
    """Against the loop as it is published, in float64 and on the scheduler's own σ."""
    config = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    ours = scheduler_for(Sampler(scheduler="ipndm", steps=8), config)
    table = EulerDiscreteScheduler(**config)  # type: ignore[arg-type]
    table.set_timesteps(8)
    x = torch.linspace(-2, 2, 9).reshape(1, 1, 3, 3).double() * float(table.init_noise_sigma)
    past: list[torch.Tensor] = []
    for now, then in zip(table.sigmas[:-1].double(), table.sigmas[1:].double(), strict=True):
        d = now * (x - 0.3) / (0.25 + now**2)  # (x − E[x₀|x])/σ of that Gaussian
        match len(past):
            case 0:
                slope = d
            case 1:
                slope = (3 * d - past[0]) / 2
            case 2:
                slope = (23 * d - 16 * past[0] + 5 * past[1]) / 12
            case _:
                slope = (55 * d - 59 * past[0] + 37 * past[1] - 9 * past[2]) / 24
        x, past = x + (then - now) * slope, [d, *past[:2]]
    assert torch.allclose(gaussian(ours).double(), x, atol=1e-4)


@pytest.mark.parametrize("name", ["pndm", "lms"])
def test_started_in_the_middle_they_solve_as_from_the_start(name: str) -> None:
    """diffusers' own lose a step (PNDM) or begin with weights of a higher order (LMS)."""
    config = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    clean, noise = torch.full((1, 1, 2, 2), 0.7), torch.linspace(-1, 1, 4).reshape(1, 1, 2, 2)
    scheduler = scheduler_for(Sampler(scheduler=name, steps=20), config)

    def denoise(step: int, z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        alpha, sigma = sampling.noise_level(scheduler, t)
        return (z - alpha * clean) / sigma  # one point: every step must stay on its line

    picture = sampling.Picture(clean, 9)
    steps = list(sampling.sample(denoise, noise, scheduler, [torch.Generator()], picture))
    # PNDM ends at the table's least noise, σ = 0.03.
    assert torch.allclose(steps[-1].latent, clean, atol=0.05)
    assert all(torch.allclose(step.sample, clean, atol=1e-3) for step in steps)


def test_seeds_and_variations(engine: Engine) -> None:
    plain = picture(engine, seed=5)
    assert (plain != picture(engine, seed=2**32 + 5)).any()
    assert (plain == picture(engine, seed=5, variation_seed=9)).all()  # strength 0
    varied = {"seed": 5, "variation_seed": 9, "variation_strength": 0.4}
    assert (plain != picture(engine, **varied)).any()
    whole = {**varied, "variation_strength": 1.0}
    assert (picture(engine, seed=9) == picture(engine, **whole)).all()
    batch = make(engine, **varied, count=2)
    assert [one.preset.sampler.variation_seed for one in batch] == [9, 10]
    assert [one.seed for one in batch] == [5, 5]
    for one in batch:  # its preset makes each again
        again = next(e for e in engine.generate(one.preset) if isinstance(e, Done))
        assert np.abs(np.asarray(again.image).astype(int) - np.asarray(one.image)).max() <= 1
    chosen = make(engine, seed=5, variation_strength=0.4)[0].preset.sampler
    assert chosen.variation_seed >= 0
    assert (plain == picture(engine, seed=5, noise="device")).all()  # here the device is the CPU


class ToyScheduler(EulerDiscreteScheduler):
    """Euler that goes one and a half times as far in each step but the last."""

    def step(self, model_output: Any, timestep: Any, sample: Any, *args: Any, **kwargs: Any) -> Any:
        euler, predicted = super().step(model_output, timestep, sample, return_dict=False)
        return (euler if self.step_index == 6 else sample + 1.5 * (euler - sample)), predicted


def test_a_scheduler_from_outside(engine: Engine) -> None:
    """One record is all it takes; its times are asked of the class itself."""
    place = f"{sys.modules[__name__].__name__}:ToyScheduler"
    toy = SchedulerKind("Toy", "Goes too far.", place, schedules=("karras",), a1111="Too Far")
    SCHEDULERS.register("toy", toy)
    try:
        wanted = preset(scheduler="toy", schedule="karras")
        fields = Preset.model_json_schema()["$defs"]["Sampler"]["properties"]
        assert "toy" in fields["scheduler"]["enum"]
        from studio.ui.schema import leaves

        choices = leaves()["scheduler"]["choices"]
        assert ["toy", "Toy"] in [choice[:2] for choice in choices]
        plan = stated_plan(wanted, engine.library)
        events = list(engine.generate(wanted))
        assert [e.forwards for e in events if isinstance(e, Done)] == [plan.forwards_total] == [6]
        assert sum(isinstance(e, Progress) and e.stage == "denoising" for e in events) == 6
        assert named("too far") == ("toy", True)
        with pytest.raises(
            StudioError,
            match=r"sampler\.schedule: Toy \(toy\) takes Automatic \(automatic\), Karras \(karras\)",
        ):
            preset(scheduler="toy", schedule="beta")
    finally:
        SCHEDULERS.remove("toy")
    with pytest.raises(StudioError, match=r"sampler\.scheduler: is not a scheduler"):
        preset(scheduler="toy")


def test_a_record_s_settings_come_before_the_base_s_own() -> None:
    own = SchedulerKind("x", "y", "DDIMScheduler", {"timestep_spacing": "trailing"})
    SCHEDULERS.register("toy", own)
    try:
        made = sampling.make_scheduler("toy", {"timestep_spacing": "leading", "steps_offset": 1})
        assert made.config.timestep_spacing == "trailing" and made.config.steps_offset == 1
    finally:
        SCHEDULERS.remove("toy")


@pytest.mark.parametrize("name", ["dpm++", "dpm++_2s", "unipc", "deis"])
def test_every_step_is_taken_where_rounding_makes_time_steps_equal(name: str) -> None:
    table = {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "epsilon"}
    scheduler = scheduler_for(Sampler(scheduler=name, schedule="karras", steps=12), table)
    assert len(set(scheduler.timesteps.tolist())) < len(scheduler.timesteps) == 12
    noise = torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    steps = list(
        sampling.sample(lambda _, z, t: torch.zeros_like(z), noise, scheduler, [torch.Generator()])
    )
    # Without predicted noise z/α stays what it was at the first step: z₀ = z/α = z·√(1 + σ²).
    expected = noise.double() * (1 + scheduler.sigmas[0].double() ** 2).sqrt()
    assert len(steps) == 12 and torch.allclose(steps[-1].latent.double(), expected, rtol=1e-4)
