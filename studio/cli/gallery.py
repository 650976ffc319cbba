"""The verb gallery: presets of others, from a folder, a Git repository or the hub, and one's own there."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from studio.cli.common import add_preset_arguments, load_preset, say, say_notes
from studio.errors import StudioError
from studio.images import SUFFIXES
from studio.library import Library
from studio.preset.saved import find_thumbnail
from studio.share import gallery
from studio.share.gallery.items import find

_SOURCE = "a folder, an address of a Git repository, or hub:OWNER/NAME of a dataset"


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("gallery", help="browse, import and publish presets")
    doing = verb.add_subparsers(dest="doing", required=True, metavar="DOING")
    listing = doing.add_parser("list", help="a gallery's presets; without SOURCE, the galleries")
    _add_source(listing, optional=True)
    listing.add_argument("--forget", action="store_true", help="take SOURCE off the list instead")
    listing.set_defaults(run=_list)
    taking = doing.add_parser("import", help="keep presets of a gallery among one's own")
    _add_source(taking)
    taking.add_argument("ids", nargs="*", metavar="ID", help="as list prints it, or a name")
    taking.add_argument("--all", action="store_true", help="all that can be used")
    taking.set_defaults(run=_import)
    out = doing.add_parser(
        "publish", help="show what would be published of a preset; with --yes, publish it"
    )
    add_preset_arguments(out)
    out.add_argument("--to", required=True, metavar="TARGET", help="a folder, or hub:OWNER/NAME")
    out.add_argument("--picture", metavar="IMAGE", help="by default the one beside the preset")
    out.add_argument("--no-picture", action="store_true", help="the preset alone")
    out.add_argument("--yes", action="store_true", help="without this, only show what would go")
    out.set_defaults(run=_publish)


def _add_source(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    parser.add_argument(
        "source", metavar="SOURCE", nargs="?" if optional else None, default="", help=_SOURCE
    )
    parser.add_argument("--fresh", action="store_true", help="fetch it again")


def _list(options: argparse.Namespace) -> None:
    if not options.source:
        if options.forget or options.fresh:
            raise StudioError("which gallery?", field="SOURCE")
        for name in gallery.known():
            say({"gallery": name})
        return
    if options.forget:
        gallery.forget(options.source)
        return
    library = Library()
    for item in _items(options):
        preset = item.preset
        line = {
            "id": item.id,
            "name": item.name,
            "description": preset.description if preset else "",
            "base": preset.base if preset else "",
            "rows": len(preset.rows) if preset else 0,
            "picture": item.thumbnail is not None,
            "missing": item.lacks(library),
            "problem": item.problem,
        }
        say({key: value for key, value in line.items() if value or key == "picture"})


def _items(options: argparse.Namespace) -> list[gallery.Item]:
    source = gallery.source_of(options.source)
    items, notes = gallery.items_of(gallery.opened(source, options.fresh))
    gallery.remember(source.name)
    say_notes([*notes, *([] if items else [f"{source.name} holds no preset"])])
    return items


def _import(options: argparse.Namespace) -> None:
    if bool(options.ids) == options.all:
        raise StudioError("name presets, or give --all", field="ID")
    items = _items(options)
    chosen = (
        [item for item in items if item.preset]
        if options.all
        else [find(items, one) for one in options.ids]
    )
    for item in chosen:
        path, new = gallery.taken(item)
        say({"id": item.id, "name": item.name, "file": str(path), "new": new})


def _publish(options: argparse.Namespace) -> None:
    library = Library()
    preset = load_preset(options, library)
    draft = gallery.drafted(preset, _picture(options), library)
    target = gallery.target_of(draft, options.to)
    say_notes([*draft.warnings, *filter(None, [target.note])])
    if not options.yes:
        for name, data in draft.files(target.stem):
            text = {"text": data.decode()} if name.endswith(".json") else {}
            say({"file": name, "bytes": len(data), **text})
        say_notes(["nothing is published yet; --yes does it"])
        return
    done = gallery.published(draft, target)
    say({"files": list(done.files), "place": done.place})


def _picture(options: argparse.Namespace) -> Path | None:
    """The picture to show: the one given, else the preset's own."""
    if options.no_picture:
        return None
    if options.picture:
        return Path(options.picture)
    if options.preset == "-":
        return None
    path = Path(options.preset)
    if path.suffix.lower() in SUFFIXES:
        return path
    return find_thumbnail(path)
