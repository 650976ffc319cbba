"""The verb tune: a search for the trade-off between scores, over fields of a preset."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.common import (
    add_preset_arguments,
    check_images,
    checked_plan,
    image_roots,
    load_preset,
    no_loading_bars,
    output_folder,
    say,
    say_notes,
)
from studio.cli.making import show
from studio.cli.pooling import add_workers_argument, makers
from studio.cli.scoring import add_scoring_arguments, name_missed, name_whole, scored_by
from studio.workers.choice import read_workers

if TYPE_CHECKING:
    from studio.experiments.tune.run import Picture
    from studio.experiments.tune.search import Search


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "tune",
        help="search for the best trade-offs between scores, and keep them as presets",
        epilog="Started again with the same --out it goes on; a larger --budget searches further.",
    )
    add_preset_arguments(verb)
    verb.add_argument(
        "--over",
        metavar="FIELD=LOW:HIGH",
        action="append",
        required=True,
        help="what may change, or FIELD=V1,V2,..; may be given several times",
    )
    verb.add_argument(
        "--for", dest="metrics", metavar="SCORE,..", required=True, help="what is traded"
    )
    verb.add_argument(
        "--budget", metavar="N", type=int, default=60, help="pictures in all, of whole settings"
    )
    verb.add_argument("--prompts", metavar="FILE", help="default: the preset's own prompt")
    verb.add_argument("--subject", metavar="TEXT", default="", help="what {subject} stands for")
    verb.add_argument("--seeds", metavar="0-3", default="0-3", help="seeds (default 0-3)")
    verb.add_argument("--out", metavar="DIR", required=True, help="folder of pictures and results")
    add_workers_argument(verb)
    add_scoring_arguments(verb)
    verb.set_defaults(run=tune)


def tune(options: argparse.Namespace) -> None:
    """A JSON line for each setting, at the end ``{"front": [{values, metrics, preset}]}``."""
    from studio.experiments.tune import report, run, search
    from studio.experiments.tune.points import read_points
    from studio.experiments.tune.propose import check_optuna

    workers = read_workers(options.workers)
    check_optuna()
    asked = _search(options)
    search.check(asked)
    name_whole(asked.scored, asked.metrics)
    roots = image_roots(options)
    _check_ends(asked, roots)
    output_folder(options.out)
    search.begin(asked)  # before the report is owed: a folder of another search stays as it is
    no_loading_bars()
    began = time.monotonic()
    made = 0
    try:
        with (
            makers(workers, roots, asked.beside.drift) as make,
            closing(run.run(asked, make)) as progress,
        ):
            for event in progress:
                if isinstance(event, run.Picture):
                    made += event.made
                    _show(event, asked.budget, (time.monotonic() - began) / max(1, made))
                else:
                    say(report.line(event))
    finally:  # also when it is interrupted: what is done is kept, and can be looked at
        name_missed(asked.scored)
        if points := read_points(asked):
            say(report.write(asked, points, roots))


def _search(options: argparse.Namespace) -> Search:
    from studio.experiments.asked import prompts_of, read_seeds
    from studio.experiments.beside import Beside
    from studio.experiments.tune.search import Search
    from studio.library import Library
    from studio.preset.ranges import parse_range

    preset = load_preset(options, Library())
    prompts = prompts_of(options.prompts, options.subject)
    names = tuple(name.strip() for name in options.metrics.split(",") if name.strip())
    out = Path(options.out)
    return Search(
        preset,
        tuple(parse_range(text, preset, "--over") for text in options.over),
        names,
        options.budget,
        out,
        scored_by(options, [], [], []),
        tuple(prompts),
        tuple(read_seeds(options.seeds)),
        beside=Beside.of(names, out, image_roots(options)),
    )


def _check_ends(asked: Search, roots: list[Path]) -> None:
    """Compile the plan at both ends of the ranges, so that what cannot be is said now."""
    from studio.library import Library

    library, notes = Library(), []
    for part in (0.0, 1.0):
        preset = asked.requests({one.field: one.at(part) for one in asked.ranges})[0].preset
        notes += checked_plan(preset, library, roots).notes
        check_images(preset, roots)
    say_notes(notes)


def _show(event: Picture, budget: int, each: float) -> None:
    left = round(each * (budget - event.spent))
    text = f"picture {event.spent} of {budget}, at most {left} s left"
    if sys.stderr.isatty():
        show(text)
    elif event.number == event.of:
        print(text, file=sys.stderr, flush=True)
