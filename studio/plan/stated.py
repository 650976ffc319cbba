"""The plan of a preset on a library's models, with the steps that a run will take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.diffusion.progress import progress_of
from studio.errors import MissingModel
from studio.library import Library
from studio.library.noise import scheduler_config
from studio.plan.compile import compile_plan
from studio.plan.places import meeting_in
from studio.plan.plan import Plan
from studio.plan.row_models import check_base
from studio.plan.tiles import as_seen, with_tiles
from studio.preset import Preset


def stated_plan(preset: Preset, library: Library, roots: Sequence[str | Path] = ()) -> Plan:
    """The plan that the engine will run, found without loading anything.

    Where a row begins and ends depends on the times of the scheduler's steps, and these on the
    base's noise: both are taken as the run takes them, so that the stated cost is the run's.

    Args:
        roots: folders that relative images may lie under.

    Raises:
        BadPreset, MissingModel, IncompatibleModels: as :func:`studio.plan.compile_plan`,
            :func:`studio.diffusion.progress.progress_of` and
            :func:`studio.plan.size.picture_size`.
    """
    try:
        base = check_base(library, preset.base, preset.vae)
    except MissingModel:
        base, progress = None, None  # compiling names the field
    else:
        seen = as_seen(preset.sampler, base)
        progress = progress_of(seen, scheduler_config(base), preset.first_step, base.family)
    plan = compile_plan(preset, library.catalogue(), progress, meeting_in(roots))
    return plan if base is None else with_tiles(plan, preset, base)
