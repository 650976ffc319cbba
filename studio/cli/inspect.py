"""The verb inspect: the preset in an image, the studio's own or another tool's."""

from __future__ import annotations

import argparse
from typing import Any

from studio.cli.common import terminal_json
from studio.errors import printable
from studio.library import Library
from studio.share import read_image


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("inspect", help="show the preset in an image")
    verb.add_argument("image", metavar="IMAGE", help="a PNG, JPEG or WebP")
    verb.set_defaults(run=inspect)


def inspect(options: argparse.Namespace) -> None:
    """The preset as JSON, then a line for whatever was carried over otherwise, or not at all."""
    preset, notes = read_image(options.image, Library())
    print(terminal_json(preset.to_json()))
    for note in notes:
        print(printable(f"note: {note}"))
