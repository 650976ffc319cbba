"""Of the verb history what makes something of what is found: larger pictures, one sheet of all, and
one that moves."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from studio.cli.common import checked_plan, output_folder, say, say_notes
from studio.cli.keeping import Keeping
from studio.cli.making import images_kept, make_engine, whole
from studio.errors import StudioError
from studio.events import image_line
from studio.files import write_once
from studio.history import History
from studio.history.animation import moving, read_kind, read_rate
from studio.history.archive import said_lost
from studio.history.enlarged import Enlarging
from studio.history.sheet import sheet_of
from studio.library import Library
from studio.outputs import outputs_folder
from studio.preset import Preset
from studio.preset.derived import MOST_EACH
from studio.preset.unfinished import without_mark
from studio.share import read_any, save_or_keep


class _Asked(NamedTuple):
    """The preset of one that is made, and the picture that it is made of: id and title."""

    preset: Preset
    parent: str
    title: str


def declare(larger: Any, sheet: Any, animate: Any) -> None:
    """The flags of each on its parser, beside those of a search."""
    larger.add_argument("--factor", type=float, default=2.0, help="times as large (default: 2)")
    larger.add_argument(
        "--strength", type=float, default=0.35, help="0 only enlarges (default: 0.35)"
    )
    larger.add_argument("--enlarge", choices=("pixels", "latents"), default="pixels")
    larger.add_argument("--tiles", action="store_true", help="in tiles of the model's own size")
    larger.add_argument("--upscaler", default="", metavar="MODEL", help="of the library")
    larger.add_argument(
        "--out", default="", metavar="DIR", help="default: the studio's own, as the page"
    )
    sheet.add_argument("--out", required=True, metavar="FILE", help="a .png that is not there")
    animate.add_argument(
        "--out", required=True, metavar="FILE", help="a .webp or .gif that is not there"
    )
    animate.set_defaults(sort="oldest")
    animate.add_argument("--rate", type=float, default=5.0, help="pictures a second (default: 5)")
    animate.add_argument("--back", action="store_true", help="also from the last to the first")


def larger(options: argparse.Namespace, own: History, ids: list[str]) -> None:
    """Make each picture larger with its own preset; one JSON line for each as it is done."""
    if not 1 <= len(ids) <= MOST_EACH:
        raise StudioError(f"1 to {MOST_EACH} pictures are made larger, {len(ids)} are found")
    library = Library()
    how = Enlarging(
        options.factor, options.strength, options.enlarge, options.tiles, options.upscaler
    )
    asked, left_out = _asked(own, ids, how, library)
    say_notes(left_out)
    if not asked:
        raise StudioError("none of the pictures can be made larger")
    folder, engine = output_folder(options.out or str(outputs_folder())), make_engine([])
    keeping = Keeping(folder, library)
    unsaved, failed = "", 0
    for preset, parent, title in asked:
        try:
            for done in images_kept(engine, preset):
                with whole():
                    path, problem = save_or_keep(
                        done.image, done.preset, folder, naming=keeping.naming()
                    )
                    unsaved = unsaved or problem
                    keeping.take(done, path, parent)
                    say_notes(done.notes)
                    say({**image_line(done, path), "from": parent})
        except StudioError as error:  # one that fails leaves the others theirs
            failed += 1
            say_notes([f"{title}: {error}"])
    keeping.end()
    if unsaved:
        raise StudioError(unsaved, field="--out")
    if failed:
        raise StudioError(f"{failed} of {len(asked)} pictures could not be made larger")


def _asked(
    own: History, ids: list[str], how: Enlarging, library: Library
) -> tuple[list[_Asked], list[str]]:
    """What is to be made, and a line for each picture of which nothing can be."""

    def check(preset: Preset) -> None:
        checked_plan(preset, library, [])

    asked, left_out = [], []
    for one in ids:
        record = own.get(one)
        try:
            file = own.file(record)
            preset = how.of(file, read_any(file, library)[0], library, check)
            asked.append(_Asked(without_mark(preset), one, record.title))
        except StudioError as error:
            left_out.append(f"{record.title}: {error}")
    return asked, left_out


def sheet(options: argparse.Namespace, own: History, ids: list[str]) -> None:
    """Put the pictures on one, side by side, in a file that is not there yet."""
    place = Path(options.out)
    if place.suffix.lower() != ".png":
        raise StudioError(f"a file that ends in .png, got {place.name}", field="--out")
    drawn = sheet_of(own, ids)
    output_folder(str(place.parent))
    write_once(place, lambda file: drawn.whole.save(file, "PNG"))
    count = len(ids) - len(drawn.lost)
    say({"pictures": count, "done": "on one sheet", "file": str(place)})
    say_notes(filter(None, [said_lost(drawn.lost), drawn.smaller]))


def animate(options: argparse.Namespace, own: History, ids: list[str]) -> None:
    """Put the pictures one after the other, in a file that is not there yet."""
    place, rate = Path(options.out), read_rate(options.rate, "--rate")
    kind = place.suffix.lower().removeprefix(".")
    if kind not in ("webp", "gif"):
        raise StudioError(f"a file that ends in .webp or .gif, got {place.name}", field="--out")
    found = moving(own, ids)
    output_folder(str(place.parent))
    write_once(place, lambda file: found.write(file, read_kind(kind), rate, options.back))
    say({"pictures": len(found.frames), "done": "in one that moves", "file": str(place)})
    say_notes(filter(None, [said_lost(found.lost), found.smaller]))
