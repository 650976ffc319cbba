"""How far a run has come at each evaluation of its network.

What a plan states must be what a run does, so that both take their progress from here. No torch is
loaded for a scheduler whose time steps have a closed form.
"""

from __future__ import annotations

from studio.diffusion.noise_table import Config, total_of
from studio.diffusion.times import Times, closed_form
from studio.preset import Sampler


def progress_of(sampler: Sampler, config: Config, first: int = 0, family: str = "") -> list[float]:
    """For each evaluation how much of the noise level is behind it: ``1 − (t + 1)/T`` in [0, 1).

    Args:
        config: the base's scheduler config.
        first: the step to start from, for a run from a picture.
        family: the base's, for noise schedules that are made for one; "" where not known.

    Raises:
        BadPreset, IncompatibleModels: as :func:`studio.diffusion.times.check`.
    """
    total = total_of(config)
    times = times_of(sampler, config, first, family)
    return [min(1.0, max(0.0, 1.0 - (float(t) + 1.0) / total)) for t in times]


def times_of(sampler: Sampler, config: Config, first: int = 0, family: str = "") -> Times:
    """The time step of every evaluation from step ``first`` on; some steps take two."""
    found = closed_form(sampler, config, first, family)
    if found is not None:
        return found
    from studio.diffusion.schedulers import evaluations

    return evaluations(sampler, config, first, family)
