"""The verb settings: what is set for every start, and by whom; one of them set or put back."""

from __future__ import annotations

import argparse
from typing import Any

from studio.cli.common import say
from studio.errors import StudioError
from studio.settings import SETTINGS, Chosen, change, chosen


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("settings", help="list settings, or keep one for every start")
    verb.add_argument("name", metavar="NAME", nargs="?", help=", ".join(SETTINGS))
    verb.add_argument("value", metavar="VALUE", nargs="?", help="switches are 0 or 1")
    verb.add_argument("--reset", action="store_true", help="take it out of the settings file")
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """One JSON line a setting; of one that was changed, its new value."""
    if options.name is None:
        if options.reset:
            raise StudioError("which setting?", field="NAME")
        for name in SETTINGS:
            _say(chosen(name))
        return
    if options.name not in SETTINGS:
        raise StudioError(
            f"there is no such setting; there is {', '.join(SETTINGS)}", field=options.name
        )
    if options.reset and options.value is not None:
        raise StudioError("a value, or --reset", field=options.name)
    if options.reset:
        _say(change(options.name, None))
    elif options.value is None:
        _say(chosen(options.name))
    else:
        _say(change(options.name, SETTINGS[options.name].read(options.value)))


def _say(found: Chosen) -> None:
    setting = found.setting
    told = {
        "name": setting.name,
        "value": found.value,
        "from": setting.variable if found.origin == "environment" else found.origin,
        "default": setting.default,
        "allowed": setting.allowed,
        "variable": setting.variable,
        "problem": found.problem,
        "help": setting.help,
    }
    say({key: one for key, one in told.items() if one != "" or key == "value"})
