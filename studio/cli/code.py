"""The verb code: a preset as a Python script, or as a command line."""

from __future__ import annotations

import argparse
from typing import Any

from studio.cli.common import add_preset_arguments, image_roots, load_preset
from studio.library import Library


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("code", help="write a preset as a Python script")
    add_preset_arguments(verb)
    verb.add_argument("--shell", action="store_true", help="a command line instead")
    verb.set_defaults(run=code)


def code(options: argparse.Namespace) -> None:
    """The script on stdout."""
    from studio.integrations.code import as_command, as_python

    library = Library()
    preset = load_preset(options, library)
    if options.shell:
        print(as_command(preset), end="")
    else:
        print(as_python(preset, library, image_roots(options)), end="")
