"""The verb models: what the library holds, which folders it is, hashes of its files; merging."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import Any

from studio.cli import merging
from studio.cli.common import say, say_notes
from studio.library import Library
from studio.library.places import layout_of
from studio.named_folders import keep, kept, named_folders


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("models", help="list the library, name its folders, merge models")
    verb.add_argument(
        "--add",
        metavar="DIR",
        action="append",
        default=[],
        help="read this folder of models in place from now on, another tool's too",
    )
    verb.add_argument(
        "--remove", metavar="DIR", action="append", default=[], help="leave a folder out again"
    )
    verb.add_argument(
        "--folders", action="store_true", help="list the further folders, and whose they are"
    )
    verb.add_argument(
        "--hashes",
        action="store_true",
        help="compute the hashes by which other tools' pictures name models",
    )
    verb.set_defaults(run=models)
    merging.declare(verb.add_subparsers(metavar="DOING"))


def models(options: argparse.Namespace) -> None:
    """One JSON line per model, or per folder."""
    if options.add or options.remove:
        removed = {_path(one) for one in options.remove}
        keep([*(str(one) for one in kept() if str(one) not in removed), *map(_path, options.add)])
    if options.folders or options.add or options.remove:
        for folder in named_folders():
            title, places = layout_of(folder)
            problem = next((place.problem for place in places if place.problem), "")
            say({"folder": str(folder), "tool": title, "problem": problem})
        return
    library = Library()
    entries = library.entries()
    if options.hashes:
        waiting = [entry for entry in entries if library.hashes.lacks(entry)]
        for number, entry in enumerate(library.hashes.fill(waiting), 1):
            say_notes([f"hashes of {number} of {len(waiting)} files: {entry.id}"])
    for entry in entries:
        say(dataclasses.asdict(entry) | {"hashes": library.hashes.of(entry)})


def _path(given: str) -> str:
    return os.path.abspath(os.path.expanduser(given))
