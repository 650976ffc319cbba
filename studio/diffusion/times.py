"""The time steps at which a scheduler calls the network, in closed form: no torch is loaded.

What a plan states must be what a run does, so that both take their progress from here. A test
compares every formula with diffusers' own scheduler; one without a formula is asked itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from studio.errors import BadPreset, IncompatibleModels, shorten
from studio.preset import Sampler
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.schedulers import SCHEDULERS, SchedulerKind

FLOW = "flow_prediction"
Config = Mapping[str, Any]
Times = np.ndarray  # float64, falling
_LCM_STEPS = 50  # of the distillation, from which LCM and TCD choose theirs


def is_flow(config: Config) -> bool:
    """Whether a base with this scheduler config predicts a flow."""
    return config.get("prediction_type") == FLOW


def check(sampler: Sampler, config: Config, family: str = "") -> SchedulerKind:
    """The sampler's scheduler, once it is known to fit a base.

    Args:
        config: the base's scheduler config.
        family: the base's, for noise schedules that are made for one; "" where not known.

    Raises:
        BadPreset, IncompatibleModels: name the field, and what there is for this base.
    """
    name, kind, flow = sampler.scheduler, SCHEDULERS[sampler.scheduler], is_flow(config)
    if not (kind.flow if flow else kind.kind):
        fitting = [n for n, one in SCHEDULERS.items() if (one.flow if flow else one.kind)]
        what = "a flow" if flow else "noise"
        raise IncompatibleModels(
            f"{name!r} cannot follow a model that predicts {what}; "
            f"for this base there is {', '.join(fitting)}",
            field="sampler.scheduler",
        )
    if sampler.schedule not in kind.takes(flow):
        raise IncompatibleModels(
            f"{name!r} takes no {sampler.schedule!r} for this base; it takes "
            f"{', '.join(kind.takes(flow))}",
            field="sampler.schedule",
        )
    points = NOISE_SCHEDULES[sampler.schedule].points
    if points and family and family not in points:
        raise IncompatibleModels(
            f"{sampler.schedule!r} is made for {', '.join(points)}; this base is {family!r}",
            field="sampler.schedule",
        )
    if kind.most_steps and sampler.steps > kind.most_steps:
        raise BadPreset(
            f"{name!r} takes at most {kind.most_steps} steps, got {sampler.steps}",
            field="sampler.steps",
        )
    return kind


def progress(sampler: Sampler, config: Config, first: int = 0, family: str = "") -> list[float]:
    """For each evaluation how much of the noise level is behind it: ``1 − (t + 1)/T`` in [0, 1).

    Args:
        first: the step to start from, for a run from a picture.

    Raises:
        BadPreset, IncompatibleModels: as :func:`check`.
    """
    total = _total(config)
    times = times_of(sampler, config, first, family)
    return [min(1.0, max(0.0, 1.0 - (float(t) + 1.0) / total)) for t in times]


def times_of(sampler: Sampler, config: Config, first: int = 0, family: str = "") -> Times:
    """The time step of every evaluation from step ``first`` on; some steps take two."""
    kind, flow = check(sampler, config, family), is_flow(config)
    formula = kind.flow_times if flow else kind.times
    if not formula:
        from studio.diffusion.schedulers import evaluations

        return evaluations(sampler, config, first, family)
    custom = custom_times(sampler, config, family)
    config = {**config, **NOISE_SCHEDULES[sampler.schedule].settings}
    return _FORMULAS[formula](sampler.steps, config, custom, first)


def custom_times(sampler: Sampler, config: Config, family: str) -> list[int] | None:
    """Time steps that a noise schedule gives itself, else ``None``.

    Its ten and the table's end are interpolated in log σ to any number of steps, as the schedule's
    authors do (Sabour et al. 2024).
    """
    schedule = NOISE_SCHEDULES[sampler.schedule]
    if not schedule.points:
        return None
    points = schedule.points.get(family) or next(iter(schedule.points.values()))
    table = sigma_table(config)
    levels = np.log(table[[*points, 0]])
    wanted = np.interp(np.linspace(0, 1, sampler.steps + 1), np.linspace(0, 1, len(levels)), levels)
    times = _time_of(np.exp(wanted[:-1]), table).round().astype(int)
    falling = np.maximum(times, np.arange(sampler.steps)[::-1]).tolist()
    for place in range(1, len(falling)):  # no time step twice, however many there are
        falling[place] = min(falling[place], falling[place - 1] - 1)
    return falling


# -- the noise table ------------------------------------------------------------------------


def _total(config: Config) -> int:
    return int(config.get("num_train_timesteps") or 1000)


def sigma_table(config: Config) -> np.ndarray:
    """``σ_t/α_t`` of every time step, as diffusers makes it from a config.

    Raises:
        IncompatibleModels: a beta schedule that is not known.
    """
    total, name = _total(config), config.get("beta_schedule") or "linear"
    low, high = config.get("beta_start") or 0.0001, config.get("beta_end") or 0.02
    if config.get("trained_betas") is not None:
        betas = np.asarray(config["trained_betas"], np.float32)
    elif name == "linear":
        betas = np.linspace(low, high, total, dtype=np.float32)
    elif name == "scaled_linear":
        betas = np.linspace(low**0.5, high**0.5, total, dtype=np.float32) ** 2
    elif name == "squaredcos_cap_v2":
        bar = [math.cos((i / total + 0.008) / 1.008 * math.pi / 2) ** 2 for i in range(total + 1)]
        betas = np.array(
            [min(1 - bar[i + 1] / bar[i], 0.999) for i in range(total)], dtype=np.float32
        )
    else:
        raise IncompatibleModels(
            f"has a beta schedule {shorten(name)} that is not known", field="base"
        )
    kept = np.cumprod(1 - betas)
    if config.get("rescale_betas_zero_snr"):  # Lin et al. 2023, Algorithm 1
        root = np.sqrt(kept)
        root = (root - root[-1]) * root[0] / (root[0] - root[-1])
        kept = root**2
        kept[-1] = 2**-24
    return np.sqrt((1 - kept) / kept)


def _time_of(sigma: np.ndarray, table: np.ndarray) -> Times:
    """The time step at which the table holds ``sigma``, interpolated in its logarithm."""
    return np.interp(np.log(sigma), np.log(table), np.arange(len(table)))


def _shaped(config: Config, high: float, low: float, steps: int) -> np.ndarray | None:
    """The ``steps`` values of σ of a noise schedule between two; ``None`` for even times."""
    ramp = np.linspace(0, 1, steps)
    if config.get("use_karras_sigmas"):  # Karras et al. 2022, Eq. 5
        ends = high ** (1 / 7), low ** (1 / 7)
        return (ends[0] + ramp * (ends[1] - ends[0])) ** 7
    if config.get("use_exponential_sigmas") or config.get("use_lu_lambdas"):
        return np.exp(np.linspace(math.log(high), math.log(low), steps))
    if config.get("use_beta_sigmas"):
        from scipy.stats import beta

        return low + beta.ppf(1 - ramp, 0.6, 0.6) * (high - low)
    return None


# -- time steps -----------------------------------------------------------------------------


def _even(steps: int, config: Config, spacing: str, intervals: bool) -> Times:
    """Even time steps by the spacing's name (Lin et al. 2023, Table 2).

    ``intervals``: the solvers' way, which divides the whole time by one more.
    """
    total = _total(config)
    spacing = str(config.get("timestep_spacing") or spacing)
    if spacing == "linspace":
        ends = np.linspace(0, total - 1, steps + intervals)
        return (ends.round() if intervals else ends)[::-1][:steps]
    if spacing == "leading":
        ratio = total // (steps + intervals)
        offset = int(config.get("steps_offset") or 0)
        return (np.arange(steps + intervals) * ratio)[::-1][:steps] + float(offset)
    return np.arange(total, 0, -total / steps).round() - 1


def _table(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """DDIM and DDPM: whole time steps of the table."""
    times = _even(steps, config, "leading", False) if custom is None else np.array(custom, float)
    return times.round()[first:]


def _plms(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """PNDM without Runge-Kutta steps: the second time step runs twice."""
    times = _table(steps, config, custom, first)
    return np.concatenate([times[:1], times[1:2], times[1:]])


def _levels(steps: int, config: Config, custom: Sequence[int] | None) -> tuple[Times, np.ndarray]:
    """Times and σ of the schedulers over σ: even times, or σ between the first and the last."""
    times = _even(steps, config, "linspace", False) if custom is None else np.array(custom, float)
    table = sigma_table(config)
    sigmas = np.interp(times, np.arange(len(table)), table)
    shaped = _shaped(config, sigmas[0], sigmas[-1], steps)
    return (times, sigmas) if shaped is None else (_time_of(shaped, table), shaped)


def _sigmas(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """A step evaluates at its start."""
    return _levels(steps, config, custom)[0][first:]


def _heun(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """A step evaluates at its start and at its end; the last only at its start."""
    return _twice(_sigmas(steps, config, custom, first))


def _twice(times: Times) -> Times:
    return np.concatenate([times[:1], times[1:].repeat(2)])


def _midpoint(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """A step evaluates at its start and at the geometric mean of both its ends' σ."""
    times, sigmas = (part[first:] for part in _levels(steps, config, custom))
    middle = _time_of(np.sqrt(sigmas[1:] * sigmas[:-1]), sigma_table(config))
    return np.concatenate([times[:1], np.stack([middle, times[1:]], 1).ravel()])


def _solver(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """DPM-Solver and kin: whole time steps, or σ between the ends of the whole table."""
    if custom is not None:
        return np.array(custom[first:], float)
    table = sigma_table(config)
    shaped = _shaped(config, table[-1], table[0], steps)
    if shaped is not None:
        return _time_of(shaped, table).round()[first:]
    return _even(steps, config, "linspace", True)[first:]


def _singlestep(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """The solver whose class knows one spacing alone."""
    return _solver(steps, {**config, "timestep_spacing": "linspace"}, custom, first)


def _distilled(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """LCM and TCD: ``steps`` of the 50 time steps that they were distilled on."""
    own = np.arange(_LCM_STEPS, 0, -1) * (_total(config) // _LCM_STEPS) - 1.0
    return own[np.floor(np.linspace(0, _LCM_STEPS, steps, endpoint=False)).astype(int)][first:]


def _shift(config: Config, sigma: np.ndarray) -> np.ndarray:
    """``s·σ/(1 + (s − 1)·σ)``: a flow's shift towards noise (Esser et al. 2024, Eq. 23)."""
    shift = flow_shift(config)
    return shift * sigma / (1 + (shift - 1) * sigma)


def flow_shift(config: Config) -> float:
    """The base's shift; 1 for none."""
    return float(config.get("flow_shift") or config.get("shift") or 1.0)


def _flow_euler(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """Even σ between both ends, shifted; diffusers takes the ends from a shifted table."""
    total = _total(config)
    sigma = _shift(config, np.linspace(1.0, float(_shift(config, np.array(1 / total))), steps))
    shaped = _shaped(config, sigma[0], sigma[-1], steps)
    return (sigma if shaped is None else shaped)[first:] * total


def _flow_heun(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    return _twice(_flow_euler(steps, config, custom, first))


def _flow_solver(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """The solvers along a flow: even σ below 1, shifted, in whole time steps."""
    total = _total(config)
    sigma = _shift(config, 1 - np.linspace(1, 1 / total, steps + 1))[::-1][:-1]
    return np.floor(sigma * total)[first:]


def _flow_unipc(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """UniPC along a flow: even σ from 1 on, shifted, in whole time steps."""
    total = _total(config)
    sigma = _shift(config, np.linspace(1, 1 / total, steps + 1)[:-1])
    sigma[0] = min(sigma[0], 1 - 1e-6)
    return np.floor(sigma * total)[first:]


_FORMULAS: dict[str, Callable[[int, Config, Sequence[int] | None, int], Times]] = {
    "table": _table,
    "plms": _plms,
    "sigmas": _sigmas,
    "heun": _heun,
    "midpoint": _midpoint,
    "solver": _solver,
    "singlestep": _singlestep,
    "distilled": _distilled,
    "flow_euler": _flow_euler,
    "flow_heun": _flow_heun,
    "flow_solver": _flow_solver,
    "flow_unipc": _flow_unipc,
}
