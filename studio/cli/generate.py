"""The verb generate: a preset's images."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studio import images
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
from studio.cli.keeping import Keeping
from studio.cli.making import images_kept, make_engine, whole
from studio.errors import StudioError, shorten
from studio.events import Done, image_line
from studio.images import SUFFIXES
from studio.library import Library
from studio.outputs import outputs_folder
from studio.preset import Preset
from studio.preset.derived import from_each, left_by_each
from studio.preset.fields import with_fields
from studio.share import save_or_keep


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("generate", help="make a preset's images")
    add_preset_arguments(verb)
    verb.add_argument(
        "--out",
        metavar="DIR",
        default="",
        help="folder for the images (default: the studio's own, as the page)",
    )
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
    verb.add_argument(
        "--each",
        metavar="DIR",
        help="make the preset once for each picture in this folder, by name, as the page does with "
        "many pictures at once",
    )
    verb.add_argument(
        "--each-at",
        metavar="FIELD",
        default="init.image",
        help="where each of them stands: init.image (default), or an image of a row, such as "
        "rows.0.control.image",
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
    asked = _each(preset, options) if options.each else [(preset, "")]
    say_notes(checked_plan(asked[0][0], library, roots).notes)
    for one, _ in asked:
        check_images(one, roots)
    folder, engine = output_folder(options.out or str(outputs_folder())), make_engine(roots)
    keeping = Keeping(folder, library)
    unsaved = ""
    notes: tuple[str, ...] = ()
    detailed = options.json or options.drift
    for one, name in asked:
        for done in images_kept(engine, one, options.drift):
            with whole():  # the first pass has given way to it already
                path, problem = save_or_keep(
                    done.image, done.preset, folder, roots, keeping.naming()
                )
                unsaved = unsaved or problem
                keeping.take(done, path)
                if done.notes != notes:
                    say_notes(done.notes)
                    notes = done.notes
                more = {"from": name} if name else {}
                say({**image_line(done, path), **more, **(_diagnostics(done) if detailed else {})})
    keeping.end()
    if unsaved:
        raise StudioError(unsaved, field="--out")


def _each(preset: Preset, options: argparse.Namespace) -> list[tuple[Preset, str]]:
    """The preset for each picture of ``--each``, with the picture's name; all are read first.

    Raises:
        StudioError: no such folder, no picture in it, or one that cannot be read.
    """
    folder = Path(options.each)
    if not folder.is_dir():
        raise StudioError(f"{options.each} is no folder", field="--each")
    pictures = (
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    found = sorted(pictures, key=_by_number)
    if not found:
        raise StudioError(f"{options.each} holds no picture", field="--each")
    kept = [images.store(path, path.name) for path in found]
    names = [path.name for path in found]
    say_notes(filter(None, [left_by_each(preset, options.each_at)]))
    return list(zip(from_each(preset, options.each_at, kept), names, strict=True))


def _by_number(path: Path) -> list[tuple[int, str]]:
    """Of a picture's name, so that 2.png comes before 10.png."""
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _diagnostics(done: Done) -> dict[str, Any]:
    """How much each row moved the prediction, and how far personalised weights lead alone."""
    rows = [
        {"row": s.row, "norm": _rounded(s.norm), "cosine": _rounded(s.cosine)} for s in done.shares
    ]
    drift = [{"weights": d.weights, "norm": _rounded(d.norm)} for d in done.drift]
    return {"rows": rows, "drift": drift}


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.6g}") for value in values]
