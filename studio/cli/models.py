"""The verb models: what the library holds."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from studio.cli.common import say
from studio.library import Library


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("models", help="list the library")
    verb.set_defaults(run=models)


def models(options: argparse.Namespace) -> None:
    """One JSON line per model."""
    del options
    for entry in Library().entries():
        say(dataclasses.asdict(entry))
