"""The plan of a preset on a library's models, with the steps that a run will take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studio.diffusion.progress import progress_of
from studio.errors import MissingModel
from studio.library import Library, ModelEntry
from studio.library.hub import in_cache
from studio.library.noise import scheduler_config
from studio.plan.compile import compile_plan
from studio.plan.places import meeting_in
from studio.plan.plan import Plan
from studio.plan.row_models import check_base
from studio.plan.size import picture_size
from studio.plan.tiles import as_seen, part_size, with_tiles
from studio.plan.turns import IS_BASE
from studio.preset import Detail, Preset
from studio.preset.derived import detail_of, second_of
from studio.preset.detail import detail_fields, of_detail
from studio.preset.finders import FINDERS
from studio.preset.second_pass import of_second_pass, second_fields

_OF_TILES = re.compile(r"\d+ tiles of ")


@dataclass(frozen=True)
class Stated:
    """What a preset's base and sampler say of a plan, whatever its rows are: the base's entry, and how
    much of the noise is behind each evaluation. Both ``None`` where there is no such base."""

    base: ModelEntry | None = None
    progress: Sequence[float] | None = None


def stated(preset: Preset, library: Library) -> Stated:
    """What presets of one base and sampler have in common.

    Raises:
        BadPreset, IncompatibleModels: as :func:`studio.diffusion.progress.progress_of`.
    """
    try:
        base = check_base(library, preset.base, preset.vae)
    except MissingModel:
        return Stated()  # compiling names the field
    seen = as_seen(preset.sampler, base)
    return Stated(base, progress_of(seen, scheduler_config(base), preset.first_step, base.family))


def stated_plan(
    preset: Preset,
    library: Library,
    roots: Sequence[str | Path] = (),
    known: Stated | None = None,
) -> Plan:
    """The plan that the engine will run, found without loading anything.

    Where a row begins and ends depends on the times of the scheduler's steps, and these on the
    base's noise: both are taken as the run takes them, so that the stated cost is the run's.

    Args:
        roots: folders that relative images may lie under.
        known: of a preset of the same base, sampler and start; found here where it is not given.

    Raises:
        BadPreset, MissingModel, IncompatibleModels: as :func:`studio.plan.compile_plan`,
            :func:`studio.diffusion.progress.progress_of` and
            :func:`studio.plan.size.picture_size`.
    """
    known = known or stated(preset, library)
    plan = compile_plan(preset, library.catalogue(), known.progress, meeting_in(roots))
    if known.base is None:
        return plan
    plan = with_tiles(plan, preset, known.base)
    if preset.init:
        plan = replace(plan, rounds=preset.init.loops)
    if preset.detail.on:
        plan = _with_detail(plan, preset, known.base, library, roots)
    if not preset.second_pass.on:
        return plan
    size = picture_size(preset, known.base)
    whole = preset.model_copy(update={"detail": Detail()})
    again = second_of(whole, "-", size, known.base.multiple)
    asking = preset.second_pass.asking(preset.rows)
    with of_second_pass(asking):
        second = stated_plan(again, library, roots)
    noted = second.notes if again.paints else ()  # that it only enlarges is what was asked for
    fields = second_fields(asking)
    told = [_of_second(note, fields) for note in noted if note not in plan.notes]
    if preset.refiner.on:  # in whose place the base is then
        told = [note for note in told if note != _of_second(IS_BASE, fields)]
    return replace(plan, second=second, notes=(*plan.notes, *told))


def _with_detail(
    plan: Plan, preset: Preset, base: ModelEntry, library: Library, roots: Sequence[str | Path]
) -> Plan:
    """The plan with what each part takes that is made again, and what is to be known of it."""
    asking = preset.detail.asking(preset.active_rows())
    again = detail_of(preset, "-", part_size(preset, base))
    with of_detail(asking):
        found = stated_plan(again, library, roots)
    fields = detail_fields(asking)
    noted = [note.partition(": ") for note in found.notes if note not in plan.notes]
    told = [f"{fields.get(field, field)}{colon}{said}" for field, colon, said in noted]
    return replace(plan, detail=found, notes=(*plan.notes, *told, *_of_finder(preset.detail)))


def _of_finder(detail: Detail) -> list[str]:
    """What to know of what finds the parts, before there is a picture to look at."""
    weights = FINDERS[detail.finder].weights
    if not weights or in_cache(weights, "model.safetensors"):
        return []
    return [f"detail.finder: needs the weights {weights} from the hub, which are not here yet"]


def _of_second(note: str, fields: Mapping[str, str]) -> str:
    """What a second pass's plan notes, of the field that it comes from."""
    field, colon, said = note.partition(": ")
    if colon and field in fields:
        return f"{fields[field]}: {said}"
    return f"second_pass.tiles: {note}" if _OF_TILES.match(note) else note
