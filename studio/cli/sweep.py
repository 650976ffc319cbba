"""The verb sweep: labelled grids over one to three fields of a preset, with scores where asked for."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.common import (
    add_preset_arguments,
    check_images,
    checked_plan,
    image_roots,
    load_preset,
    output_folder,
    say_notes,
)
from studio.cli.making import show
from studio.cli.pooling import add_workers_argument, makers
from studio.cli.scoring import (
    add_scoring_arguments,
    check_metrics,
    name_missed,
    scored_by,
    settings_of,
)
from studio.errors import StudioError
from studio.experiments import sweeping
from studio.experiments.beside import Beside
from studio.experiments.sweep_cost import pace_of, refuse_too_many
from studio.files import write_atomically
from studio.library import Library
from studio.plan.stated import stated_plan
from studio.preset import Preset
from studio.preset.prompt_search import HELP, PROMPTS
from studio.preset.scale import SCALE
from studio.preset.style_axis import STYLE, style_notes
from studio.preset.sweep import Axis, parse_axis
from studio.share.write import encode
from studio.workers.choice import read_workers

if TYPE_CHECKING:
    from studio.metrics import Scored


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "sweep",
        help="make a grid over one to three fields, scored where asked for",
        epilog="Values: V1,V2,.. or FROM:TO:STEP or a JSON list. "
        f"{SCALE}=V1,V2,.. is the CFG scale, a negative prompt included; "
        f"{STYLE}=NAME,NAME,.. lays a style over the rows in turn; "
        f"{PROMPTS}=SEARCHED,BY,.. is prompt S/R: {HELP[0].lower()}{HELP[1:]} "
        "Started again with the same --out it goes on where it was.",
    )
    add_preset_arguments(verb)
    verb.add_argument("--out", metavar="DIR", required=True, help="folder for the images")
    verb.add_argument("--x", metavar="FIELD=V1,V2,..", required=True, help="the columns")
    verb.add_argument("--y", metavar="FIELD=V1,V2,..", help="the lines")
    verb.add_argument("--z", metavar="FIELD=V1,V2,..", help="a grid for each of its values")
    verb.add_argument("--seeds", metavar="0-3", help="seeds of every cell; default: the preset's")
    verb.add_argument("--metrics", metavar="NAME,..", help="scores of every cell, with plots")
    add_workers_argument(verb)
    add_scoring_arguments(verb)
    verb.set_defaults(run=sweep)


def sweep(options: argparse.Namespace) -> None:
    """Make every cell, then the labelled grids, CSV, plots and JSON; the images stay beside them."""
    library, workers = Library(), read_workers(options.workers)
    preset = load_preset(options, library)
    axes = _axes(options)
    roots = image_roots(options)
    seeds = _seeds(options)
    folder = Path(options.out)
    axes = sweeping.settled(preset, axes, seeds, folder)
    refuse_too_many(
        preset,
        [axis for axis in axes if axis],
        partial(stated_plan, library=library, roots=roots),
        partial(pace_of, preset),
        max(1, len(seeds)),
    )
    names = [name.strip() for name in (options.metrics or "").split(",") if name.strip()]
    beside = Beside.of(names, folder, roots)
    scored = scored_by(options, [], [], []) if names else None
    if scored:
        _check_metrics(scored, preset, names, max(1, len(seeds)), beside)
    asked = sweeping.begin(preset, axes, seeds, folder)
    shots, notes = asked.shots(), []
    for preset_of_cell in {shot.name: shot.cell.preset for shot in shots}.values():
        notes += checked_plan(preset_of_cell, library, roots).notes
        check_images(preset_of_cell, roots)
    for axis in asked.named:
        if axis.field == STYLE:
            notes += style_notes(asked.preset, axis.values, axis.styles)
    say_notes(notes)
    output_folder(options.out)
    found: dict[str, sweeping.Line] = {}
    with makers(workers, roots, beside.drift) as make:
        for shot, line in sweeping.run(asked, folder, make, beside.kept):
            found[shot.name] = line
            show(f"image {len(found)} of {len(shots)}")
    show("")
    _finish(asked, shots, [found[shot.name] for shot in shots], scored, names, beside)


def _finish(
    asked: sweeping.Sweep,
    shots: list[sweeping.Shot],
    lines: list[sweeping.Line],
    scored: Scored | None,
    names: list[str],
    beside: Beside,
) -> None:
    folder, roots = beside.folder, beside.roots
    scores, by = [], {}
    if scored:
        scores = sweeping.score(asked, lines, folder, scored, names, beside)
        name_missed(scored)
        by = settings_of(scored)
    grids = sweeping.grids(asked, shots, folder)
    for name, image in grids:
        write_atomically(folder / name, encode(image, asked.preset, ".png", roots))
        print(folder / name)
    print(sweeping.finish(asked, lines, scores, [name for name, _ in grids], folder, by))


def _axes(options: argparse.Namespace) -> tuple[Axis, Axis | None, Axis | None]:
    y, z = (parse_axis(t, o) if t else None for t, o in ((options.y, "--y"), (options.z, "--z")))
    if z is not None and y is None:
        raise StudioError("is a third axis; give --y before it", field="--z")
    return parse_axis(options.x, "--x"), y, z


def _seeds(options: argparse.Namespace) -> list[int]:
    if not options.seeds:
        return []
    from studio.experiments.asked import read_seeds

    return read_seeds(options.seeds)


def _check_metrics(
    scored: Scored, preset: Preset, names: list[str], pictures: int, beside: Beside
) -> None:
    """Refuse a score that lacks what it needs before a picture is made."""
    from studio.experiments.asked import text_of
    from studio.metrics import METRICS
    from studio.metrics.intervals import FEWEST

    text = text_of(preset)
    one = replace(scored, images=[Path()] * pictures, prompts=[text] * pictures if text else [])
    check_metrics(beside.awaited(one, [preset] * pictures), names, "--metrics")
    for name in names:
        metric = METRICS[name]
        if not metric.each and pictures < FEWEST:
            raise StudioError(
                f"is a score of a set: {FEWEST} seeds a cell or more, got {pictures}", field=name
            )
