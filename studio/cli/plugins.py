"""The verb plugins: what installed packages add to the studio."""

from __future__ import annotations

import argparse
from typing import Any

from studio.cli.common import say
from studio.extensions import plugins


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("plugins", help="list what installed packages add")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """One JSON line per package's addition, with ``problem`` where it could not be loaded."""
    del options
    for plugin in plugins():
        line: dict[str, Any] = {
            "name": plugin.name,
            "package": plugin.package,
            "version": plugin.version,
            "adds": [{"kind": kind, "name": name} for kind, name in plugin.adds],
        }
        say(line | ({"problem": plugin.problem} if plugin.problem else {}))
