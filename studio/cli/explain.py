"""The verb explain: a picture made again, with what each of its rows did."""

from __future__ import annotations

import argparse
import json
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
from studio.errors import StudioError
from studio.events import image_line
from studio.experiments import explained
from studio.files import write_atomically
from studio.images import png_bytes
from studio.library import Library
from studio.preset.fields import with_fields
from studio.share import save_or_keep


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "explain",
        help="make a preset's picture and show what each row pulled towards, its share, the drift",
        epilog="The picture is the one that generate makes, bit for bit.",
    )
    add_preset_arguments(verb)
    verb.add_argument("--out", metavar="DIR", required=True, help="folder for picture and sheet")
    verb.add_argument("--seed", type=int, metavar="N", help="first seed")
    verb.add_argument(
        "--without", type=int, metavar="N", help="first leave out row N, counted from 1"
    )
    verb.set_defaults(run=explain)


def explain(options: argparse.Namespace) -> None:
    """Make the images; beside each its sheet and its report, and a JSON line that names them."""
    library = Library()
    preset = load_preset(options, library)
    if options.seed is not None:
        preset = with_fields(preset, [("sampler.seed", options.seed)])
    if options.without is not None:
        if not 1 <= options.without <= len(preset.rows):
            have = f"1 to {len(preset.rows)}" if preset.rows else "none: the preset has no rows"
            raise StudioError(f"got {options.without}; rows are {have}", field="--without")
        preset = explained.without(preset, options.without - 1)
    roots = image_roots(options)
    say_notes(checked_plan(preset, library, roots).notes)
    check_images(preset, roots)
    folder, unsaved = output_folder(options.out), ""
    for done in images_of(make_engine(roots), preset, explain=True):
        path, problem = save_or_keep(done.image, done.preset, folder, roots)
        unsaved = unsaved or problem
        say_notes(done.notes)
        sheet, report = (path.with_name(f"{path.stem}-explained{end}") for end in (".png", ".json"))
        write_atomically(sheet, png_bytes(explained.sheet(done)))
        told = {"picture": path.name, "sheet": sheet.name, **explained.report(done)}
        write_atomically(report, json.dumps(told, ensure_ascii=False, indent=2).encode())
        say({**image_line(done, path), "sheet": str(sheet), "report": str(report)})
    if unsaved:
        raise StudioError(unsaved, field="--out")
