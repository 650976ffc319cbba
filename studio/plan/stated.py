"""The plan of a preset on a library's models, with the steps that a run will take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.diffusion.progress import progress_of
from studio.errors import MissingModel
from studio.library import Library, ModelEntry
from studio.library.noise import scheduler_config
from studio.plan.compile import compile_plan
from studio.plan.places import meeting_in
from studio.plan.plan import Plan
from studio.plan.row_models import check_base
from studio.plan.size import DEFAULT_SIZE
from studio.plan.tiles import with_tiles
from studio.preset import Preset, Sampler


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
        entry = library[preset.base]
    except MissingModel:
        progress = None  # compiling names the field
    else:
        config = scheduler_config(entry)
        progress = progress_of(
            _sized(preset.sampler, entry), config, preset.first_step, entry.family
        )
    plan = compile_plan(preset, library.catalogue(), progress, meeting_in(roots))
    return with_tiles(plan, preset, check_base(library, preset.base, preset.vae))


def _sized(sampler: Sampler, base: ModelEntry) -> Sampler:
    """With the base's size where none is asked for: the times of some flows depend on it."""
    native = base.size or DEFAULT_SIZE
    size = {"width": sampler.width or native, "height": sampler.height or native}
    return sampler.model_copy(update=size)
