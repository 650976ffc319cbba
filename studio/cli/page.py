"""The verb page: the studio's page, as ``python app.py`` serves it."""

from __future__ import annotations

import argparse
from typing import Any

from studio.ui.serve import add_flags, serve


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("page", help="serve the studio's page on this machine")
    add_flags(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Serve until interrupted."""
    serve(options)
