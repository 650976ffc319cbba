"""The verb generate: a preset's images."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from studio.cli.common import (
    add_preset_arguments,
    check_images,
    checked_plan,
    image_roots,
    load_preset,
    output_folder,
    say,
    say_notes,
)
from studio.cli.making import images_of, make_engine
from studio.errors import StudioError, shorten
from studio.events import Done, image_line
from studio.library import Library
from studio.preset.fields import with_fields
from studio.share import save_or_keep


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("generate", help="make a preset's images")
    add_preset_arguments(verb)
    verb.add_argument("--out", metavar="DIR", required=True, help="folder for the images")
    verb.add_argument("--seed", type=int, metavar="N", help="first seed")
    verb.add_argument("--count", type=int, metavar="N", help="number of images")
    verb.add_argument(
        "--json",
        action="store_true",
        help="add to each line every row's norm and cosine per step, and the unconditional drift",
    )
    verb.add_argument(
        "--drift",
        type=_steps,
        default=0,
        metavar="K",
        help="measure the unconditional drift of personalised rows at every K-th step, for a null "
        "pass of the prior and of each of them; implies --json",
    )
    verb.set_defaults(run=generate)


def _steps(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of steps from 1, got {shorten(text)}")
    return int(text)


def generate(options: argparse.Namespace) -> None:
    """Make the images; one JSON line for each as it is done."""
    library = Library()
    preset = load_preset(options, library)
    given = {"sampler.seed": options.seed, "sampler.count": options.count}
    preset = with_fields(preset, [(k, v) for k, v in given.items() if v is not None])
    roots = image_roots(options)
    say_notes(checked_plan(preset, library, roots).notes)
    check_images(preset, roots)
    folder = output_folder(options.out)
    unsaved = ""
    notes: tuple[str, ...] = ()
    detailed = options.json or options.drift
    for done in images_of(make_engine(roots), preset, options.drift):
        path, problem = save_or_keep(done.image, done.preset, folder, roots)
        unsaved = unsaved or problem
        if done.notes != notes:
            say_notes(done.notes)
            notes = done.notes
        say({**image_line(done, path), **(_diagnostics(done) if detailed else {})})
    if unsaved:
        raise StudioError(unsaved, field="--out")


def _diagnostics(done: Done) -> dict[str, Any]:
    """How much each row moved the prediction, and how far personalised weights lead alone."""
    rows = [
        {"row": s.row, "norm": _rounded(s.norm), "cosine": _rounded(s.cosine)} for s in done.shares
    ]
    drift = [{"weights": d.weights, "norm": _rounded(d.norm)} for d in done.drift]
    return {"rows": rows, "drift": drift}


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.6g}") for value in values]
