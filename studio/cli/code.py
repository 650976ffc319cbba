"""The verb code: a preset as a Python script, or as a command line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from studio.cli.common import add_preset_arguments, image_roots, load_preset
from studio.library import Library
from studio.plan.row_models import check_base
from studio.plan.size import picture_size
from studio.share import parameters_text, unsaid


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("code", help="write a preset as a Python script")
    add_preset_arguments(verb)
    verb.add_argument("--shell", action="store_true", help="a command line instead")
    verb.add_argument(
        "--a1111", action="store_true", help="the text that AUTOMATIC1111 reads from its prompt box"
    )
    verb.set_defaults(run=code)


def code(options: argparse.Namespace) -> None:
    """The script on stdout; what AUTOMATIC1111's text leaves out, on stderr."""
    from studio.integrations.code import as_command, as_python

    library = Library()
    preset = load_preset(options, library)
    if options.a1111:
        for note in unsaid(preset):
            print(note, file=sys.stderr)
        base = check_base(library.catalogue(), preset.base, preset.vae)
        print(parameters_text(preset, picture_size(preset, base)))
    elif options.shell:
        print(as_command(preset), end="")
    else:
        print(as_python(preset, library, image_roots(options)), end="")
