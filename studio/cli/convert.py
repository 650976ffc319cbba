"""The verb convert: a pickled checkpoint as safetensors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from studio.cli.common import say


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "convert", help="write the tensors of a .ckpt, .pt or .bin as .safetensors beside it"
    )
    verb.add_argument("file", type=Path, help="the pickle; no code in it is run")
    verb.set_defaults(run=convert)


def convert(options: argparse.Namespace) -> None:
    """One JSON line with the new file's path."""
    from studio.engine.networks.convert import convert as write

    say({"path": str(write(options.file))})
