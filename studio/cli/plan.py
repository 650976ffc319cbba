"""The verb plan: a preset's equation and its cost. Loads no network."""

from __future__ import annotations

import argparse
from typing import Any

from studio.cli.common import (
    add_preset_arguments,
    checked_plan,
    image_roots,
    load_preset,
    say,
    say_notes,
)
from studio.errors import printable
from studio.library import Library


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("plan", help="show a preset's equation and its cost")
    add_preset_arguments(verb)
    verb.add_argument("--json", action="store_true", help="passes and coefficients as JSON")
    verb.set_defaults(run=plan)


def plan(options: argparse.Namespace) -> None:
    """The equation in words, or the whole plan as JSON."""
    library = Library()
    preset = load_preset(options, library)
    compiled = checked_plan(preset, library, image_roots(options))
    say_notes(compiled.notes)
    if options.json:
        say(compiled.as_dict())
        return
    print(printable(str(compiled)))
    each, total = compiled.forwards_per_step, compiled.forwards_total
    least, most = (min(each), max(each)) if each else (0, 0)  # none where nothing is made anew
    span = f"{least}" if least == most else f"{least} to {most}"
    steps = preset.sampler.steps - preset.first_step
    more = f" of {len(each)} evaluations" if compiled.unit != "step" else ""
    more += f" in each of {compiled.rounds} rounds" if compiled.rounds > 1 else ""
    unit = "an evaluation" if compiled.unit != "step" else "a step"
    second = compiled.second.forwards_total if compiled.second else 0
    again = f" and {second} in the second pass" if second else ""
    parts = compiled.detail.forwards_total if compiled.detail else 0
    found = f"; {parts} more for each part that is found" if parts else ""
    print(
        f"{span} forward passes {unit}, {total - second} in {steps} steps{more}{again}, for each image{found}"
    )
