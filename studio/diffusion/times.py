"""The time steps at which a scheduler calls the network, in closed form: no torch is loaded.

A test compares every formula with diffusers' own scheduler. What has none is asked itself, by
:mod:`studio.diffusion.progress`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from studio.diffusion.noise_table import (
    FLOW,
    Config,
    ending_at,
    flow_shift,
    is_flow,
    of_size,
    shaped_sigmas,
    shifted,
    sigma_table,
    time_of,
    total_of,
)
from studio.errors import BadPreset, IncompatibleModels
from studio.preset import Sampler
from studio.preset.noise_schedules import NOISE_SCHEDULES
from studio.preset.schedulers import SCHEDULERS, SchedulerKind, titled

__all__ = ["FLOW", "Times", "check", "closed_form", "custom_times", "flow_shift", "is_flow"]
Times = np.ndarray  # float64, falling
_LCM_STEPS = 50  # of the distillation, from which LCM and TCD choose theirs


def check(sampler: Sampler, config: Config, family: str = "") -> SchedulerKind:
    """The sampler's scheduler, once it is known to fit a base.

    Args:
        config: the base's scheduler config.
        family: the base's, for noise schedules that are made for one; "" where not known.

    Raises:
        BadPreset, IncompatibleModels: name the field, and what there is for this base.
    """
    kind, flow = SCHEDULERS[sampler.scheduler], is_flow(config)
    called = titled(SCHEDULERS, sampler.scheduler)
    schedule = titled(NOISE_SCHEDULES, sampler.schedule)
    if not (kind.flow if flow else kind.kind):
        fitting = [n for n, one in SCHEDULERS.items() if (one.flow if flow else one.kind)]
        what = "a flow" if flow else "noise"
        raise IncompatibleModels(
            f"{called} cannot follow a model that predicts {what}; "
            f"for this base there is {titled(SCHEDULERS, *fitting)}",
            field="sampler.scheduler",
        )
    if sampler.schedule not in kind.takes(flow):
        raise IncompatibleModels(
            f"{called} takes no {schedule} for this base; it takes "
            f"{titled(NOISE_SCHEDULES, *kind.takes(flow))}",
            field="sampler.schedule",
        )
    points = NOISE_SCHEDULES[sampler.schedule].points
    if points and family and family not in points:
        raise IncompatibleModels(
            f"{schedule} is made for {', '.join(points)}; this base is {family!r}",
            field="sampler.schedule",
        )
    if kind.most_steps and sampler.steps > kind.most_steps:
        raise BadPreset(
            f"{called} takes at most {kind.most_steps} steps, got {sampler.steps}",
            field="sampler.steps",
        )
    return kind


def closed_form(sampler: Sampler, config: Config, first: int = 0, family: str = "") -> Times | None:
    """The time step of every evaluation from step ``first`` on; ``None`` without a formula.

    Raises:
        BadPreset, IncompatibleModels: as :func:`check`.
    """
    kind, flow = check(sampler, config, family), is_flow(config)
    config = of_size(config, sampler)
    formula = kind.flow_times if flow else kind.times
    if not formula:
        return None
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
    times = time_of(np.exp(wanted[:-1]), table).round().astype(int)
    falling = np.maximum(times, np.arange(sampler.steps)[::-1]).tolist()
    for place in range(1, len(falling)):  # no time step twice, however many there are
        falling[place] = min(falling[place], falling[place - 1] - 1)
    return falling


# -- time steps -----------------------------------------------------------------------------


def _even(steps: int, config: Config, spacing: str, intervals: bool) -> Times:
    """Even time steps by the spacing's name (Lin et al. 2023, Table 2).

    ``intervals``: the solvers' way, which divides the whole time by one more.
    """
    total = total_of(config)
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
    shaped = shaped_sigmas(config, sigmas[0], sigmas[-1], steps)
    return (times, sigmas) if shaped is None else (time_of(shaped, table), shaped)


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
    middle = time_of(np.sqrt(sigmas[1:] * sigmas[:-1]), sigma_table(config))
    return np.concatenate([times[:1], np.stack([middle, times[1:]], 1).ravel()])


def _solver(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """DPM-Solver and kin: whole time steps, or σ between the ends of the whole table."""
    if custom is not None:
        return np.array(custom[first:], float)
    table = sigma_table(config)
    shaped = shaped_sigmas(config, table[-1], table[0], steps)
    if shaped is not None:
        return time_of(shaped, table).round()[first:]
    return _even(steps, config, "linspace", True)[first:]


def _singlestep(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """The solver whose class knows one spacing alone."""
    return _solver(steps, {**config, "timestep_spacing": "linspace"}, custom, first)


def _distilled(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """LCM and TCD: ``steps`` of the 50 time steps that they were distilled on."""
    own = np.arange(_LCM_STEPS, 0, -1) * (total_of(config) // _LCM_STEPS) - 1.0
    return own[np.floor(np.linspace(0, _LCM_STEPS, steps, endpoint=False)).astype(int)][first:]


def _flow_euler(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """Euler's: where the pipeline gives σ itself, even ones from 1 to 1/steps, shifted."""
    if not config.get("own_sigmas"):
        return _flow_ends(steps, config, custom, first)
    sigma = ending_at(config, shifted(config, np.linspace(1.0, 1 / steps, steps)))
    shaped = shaped_sigmas(config, sigma[0], sigma[-1], steps)
    return (sigma if shaped is None else shaped)[first:] * total_of(config)


def _flow_ends(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """Even σ between both ends, shifted; diffusers takes the ends from a shifted table."""
    total = total_of(config)
    sigma = shifted(config, np.linspace(1.0, float(shifted(config, np.array(1 / total))), steps))
    shaped = shaped_sigmas(config, sigma[0], sigma[-1], steps)
    return (sigma if shaped is None else shaped)[first:] * total


def _flow_heun(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    return _twice(_flow_ends(steps, config, custom, first))


def _flow_solver(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """The solvers along a flow: even σ below 1, shifted, in whole time steps."""
    total = total_of(config)
    sigma = shifted(config, 1 - np.linspace(1, 1 / total, steps + 1))[::-1][:-1]
    return np.floor(sigma * total)[first:]


def _flow_unipc(steps: int, config: Config, custom: Sequence[int] | None, first: int) -> Times:
    """UniPC along a flow: even σ from 1 on, shifted, in whole time steps."""
    total = total_of(config)
    sigma = shifted(config, np.linspace(1, 1 / total, steps + 1)[:-1])
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
    "flow_ends": _flow_ends,
    "flow_heun": _flow_heun,
    "flow_solver": _flow_solver,
    "flow_unipc": _flow_unipc,
}
