"""The verb styles: what styles and saved prompts there are, and a preset's prompts kept as one."""

from __future__ import annotations

import argparse
from typing import Any

from studio.cli.common import add_preset_arguments, load_preset, say
from studio.library import Library
from studio.preset import styles as kept
from studio.preset.style_parts import not_kept, rows_beside, texts_of


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("styles", help="list styles and saved prompts, or keep one")
    add_preset_arguments(verb, optional=True)
    verb.add_argument("--save", metavar="NAME", help="keep the preset's prompts under this name")
    verb.add_argument("--rows", action="store_true", help="keep its other rows too, to be added")
    verb.set_defaults(run=styles)


def styles(options: argparse.Namespace) -> None:
    """One JSON line a style; with ``--save``, the file of the one that was kept."""
    if options.save is not None:
        options.preset = options.preset or "-"
        preset = load_preset(options, Library())
        rows = rows_beside(preset) if options.rows else ()
        file = kept.save_style(options.save, *texts_of(preset), rows).name
        left = "" if options.rows else not_kept(preset)
        say({"name": options.save, "file": file, **({"note": left} if left else {})})
        return
    for style in kept.styles():
        line = {"name": style.name, "prompt": style.prompt, "negative_prompt": style.negative}
        rows = [row.model_dump(mode="json", exclude_defaults=True) for row in style.rows]
        more = {"rows": rows, "file": style.file, "problem": style.problem}
        say({**line, **{key: value for key, value in more.items() if value}})
