"""The table of schedulers: what each is called, needs and allows. Values only, no torch.

One record is all that a scheduler takes: the preset's checks and schema, the page's choices, the
command line, the docs and the names in other tools read it, and
:mod:`studio.diffusion.schedulers` makes diffusers' class from it.
"""

from __future__ import annotations

from typing import Any

from studio.preset.scheduler_kind import (
    AUTOMATIC,
    SCHEDULERS,
    SchedulerKind,
    letters,
    named,
    those,
    titled,
)

__all__ = ["AUTOMATIC", "SCHEDULERS", "SchedulerKind", "letters", "named", "those", "titled"]

SPACED = ("normal", "trailing", "sgm_uniform")
BY_SIGMA = ("karras", "exponential", "beta")


def _add(name: str, title: str, help: str, kind: str = "", **more: Any) -> None:
    SCHEDULERS.register(name, SchedulerKind(title, help, kind, **more))


_OWN = "studio.diffusion.schedulers"
_FLOW_SIGMAS = {"use_flow_sigmas": True}


def _solver(kind: str, flow: str = "flow_solver", **more: Any) -> dict[str, Any]:
    """What the solvers of one shape share: the same class for noise and for a flow."""
    settings = more.pop("settings", {})
    return {
        "kind": kind,
        "settings": settings,
        "times": "solver",
        "schedules": (*SPACED, *BY_SIGMA),
        "flow": kind,
        "flow_settings": {**settings, **_FLOW_SIGMAS},
        "flow_times": flow,
        **more,
    }


# Along a flow diffusers' DEIS and SA-Solver end before the noise does: their last step is empty.
_NO_FLOW: dict[str, Any] = {"flow": "", "flow_settings": {}, "flow_times": ""}
_DPM = "DPMSolverMultistepScheduler"
_MULTISTEP = (*SPACED, *BY_SIGMA, "lu", "align_your_steps")
_SINGLESTEP = (*BY_SIGMA, "align_your_steps")


def _sigmas(kind: str, **more: Any) -> dict[str, Any]:
    """What the schedulers over σ = σ_t/α_t share (k-diffusion's)."""
    return {"kind": kind, "times": "sigmas", "schedules": (*SPACED, *BY_SIGMA), **more}


_add(
    "dpm++",
    "DPM-Solver++ 2M",
    "Second order from two predictions; 20 to 30 steps. A good start.",
    **_solver(_DPM, schedules=_MULTISTEP),
    a1111="DPM++ 2M",
    comfyui="dpmpp_2m",
    near=("DPM fast", "DPM adaptive"),
)
_add(
    "ddim",
    "DDIM",
    "First order; with eta it adds noise, 1 being DDPM's amount.",
    "DDIMScheduler",
    times="table",
    schedules=("trailing", "sgm_uniform"),
    single_step=True,
    eta=0.0,
    a1111="DDIM",
    comfyui="ddim",
)
_add(
    "euler",
    "Euler",
    "First order, the plainest; 25 steps and more.",
    **_sigmas("EulerDiscreteScheduler", schedules=(*SPACED, *BY_SIGMA, "align_your_steps")),
    flow=f"{_OWN}:FlowEuler",
    flow_times="flow_euler",
    flow_schedules=BY_SIGMA,
    single_step=True,
    a1111="Euler",
    comfyui="euler",
)
_add(
    "euler_a",
    "Euler ancestral",
    "Euler with fresh noise at every step; the picture goes on changing with the steps.",
    **_sigmas("EulerAncestralDiscreteScheduler", by_sigma=f"{_OWN}:EulerAncestral"),
    single_step=True,
    random=True,
    a1111="Euler a",
    comfyui="euler_ancestral",
)
_add(
    "unipc",
    "UniPC",
    "Predictor and corrector of second order; good from 10 steps on.",
    **_solver("UniPCMultistepScheduler", "flow_unipc"),
    a1111="UniPC",
    comfyui="uni_pc",
    also=("uni_pc_bh2",),
)
_add(
    "dpm++_2m_sde",
    "DPM-Solver++ 2M SDE",
    "The same with fresh noise at every step; 25 steps and more.",
    **_solver(_DPM, schedules=_MULTISTEP, settings={"algorithm_type": "sde-dpmsolver++"}),
    random=True,
    a1111="DPM++ 2M SDE",
    comfyui="dpmpp_2m_sde",
    also=("dpmpp_2m_sde_gpu",),
    near=("DPM++ 2M SDE Heun",),
)
_add(
    "dpm++_3m_sde",
    "DPM-Solver++ 3M SDE",
    "Third order with fresh noise; 30 steps and more.",
    **_solver(
        _DPM,
        schedules=_MULTISTEP,
        settings={"algorithm_type": "sde-dpmsolver++", "solver_order": 3},
    ),
    random=True,
    a1111="DPM++ 3M SDE",
    comfyui="dpmpp_3m_sde",
    also=("dpmpp_3m_sde_gpu",),
)
_add(
    "dpm++_2s",
    "DPM-Solver++ 2S",
    "Second order inside each pair of steps; one evaluation a step.",
    **_solver(
        "DPMSolverSinglestepScheduler",
        settings={"lower_order_final": True},
        schedules=_SINGLESTEP,
        times="singlestep",
    ),
    comfyui="dpmpp_2s",
    near=("DPM++ 2S a", "dpmpp_2s_ancestral"),
)
_add(
    "dpm++_sde",
    "DPM-Solver++ SDE",
    "The 2S solver with fresh noise; one evaluation a step.",
    **_solver(
        "DPMSolverSinglestepScheduler",
        settings={"lower_order_final": True, "algorithm_type": "sde-dpmsolver++"},
        schedules=_SINGLESTEP,
        times="singlestep",
    ),
    random=True,
    near=("DPM++ SDE", "dpmpp_sde", "dpmpp_sde_gpu"),
)
_add(
    "deis",
    "DEIS",
    "Exponential integrator of second order; 15 to 25 steps.",
    **_solver("DEISMultistepScheduler") | _NO_FLOW,
    comfyui="deis",
)
_add(
    "sa_solver",
    "SA-Solver",
    "Stochastic Adams: fresh noise in the middle of the denoising; 20 steps and more.",
    **_solver("SASolverScheduler") | _NO_FLOW,
    random=True,
    comfyui="sa_solver",
)
_add(
    "heun",
    "Heun",
    "Second order with two evaluations a step (one in the last).",
    **_sigmas(
        "HeunDiscreteScheduler",
        schedules=(*SPACED, *BY_SIGMA, "align_your_steps"),
        times="heun",
    ),
    flow=f"{_OWN}:FlowHeun",
    flow_times="flow_heun",
    a1111="Heun",
    comfyui="heun",
    near=("heunpp2",),
)
_add(
    "dpm2",
    "DPM2",
    "Second order through a point between two steps; two evaluations a step.",
    **_sigmas(f"{_OWN}:Dpm2", times="midpoint"),
    a1111="DPM2",
    comfyui="dpm_2",
    also=("kdpm_2",),
)
_add(
    "dpm2_a",
    "DPM2 ancestral",
    "DPM2 with fresh noise; two evaluations a step.",
    **_sigmas(f"{_OWN}:Dpm2Ancestral", times="heun"),
    random=True,
    a1111="DPM2 a",
    comfyui="dpm_2_ancestral",
    also=("kdpm_2_a",),
)
_add(
    "lms",
    "LMS",
    "Linear multistep of fourth order; 30 steps and more.",
    **_sigmas(f"{_OWN}:Lms"),
    a1111="LMS",
    comfyui="lms",
)
_add(
    "ipndm",
    "IPNDM",
    "Adams-Bashforth of fourth order from earlier predictions; 15 steps and more.",
    **_sigmas(f"{_OWN}:Ipndm"),
    comfyui="ipndm",
    near=("ipndm_v",),
)
_add(
    "ddpm",
    "DDPM",
    "The sampler of the first diffusion models; 50 steps and more.",
    "DDPMScheduler",
    times="table",
    schedules=(*SPACED, "align_your_steps"),
    random=True,
    comfyui="ddpm",
)
_add(
    "pndm",
    "PNDM (PLMS)",
    "Pseudo linear multistep of fourth order; one evaluation more than steps.",
    f"{_OWN}:Plms",
    times="plms",
    schedules=("trailing", "sgm_uniform"),
    a1111="PLMS",
    also=("pndm",),
)
_add(
    "lcm",
    "LCM",
    "For latent consistency models and LCM-LoRAs: 2 to 8 steps, low weights.",
    "LCMScheduler",
    times="distilled",
    flow=f"{_OWN}:FlowLcm",
    flow_times="flow_ends",
    random=True,
    most_steps=50,
    a1111="LCM",
    comfyui="lcm",
)
_add(
    "tcd",
    "TCD",
    "For trajectory consistency models and TCD-LoRAs: 4 to 20 steps; eta is their gamma.",
    "TCDScheduler",
    times="distilled",
    random=True,
    eta=0.3,
    most_steps=50,
    also=("tcd",),
)
