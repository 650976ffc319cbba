"""Verbs that load no network: plan, inspect, models, schema."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any

from studio.cli.common import add_preset_arguments, checked_plan, load_preset, say
from studio.library import Library
from studio.preset import Preset
from studio.share import read_image


def add_verbs(verbs: Any) -> None:
    """Declare the verbs on argparse's subparsers."""
    plan_verb = verbs.add_parser("plan", help="show a preset's equation and its cost")
    add_preset_arguments(plan_verb)
    plan_verb.add_argument("--json", action="store_true", help="passes and coefficients as JSON")
    plan_verb.set_defaults(run=plan)
    inspect_verb = verbs.add_parser("inspect", help="show the preset in an image")
    inspect_verb.add_argument("image", metavar="IMAGE", help="a PNG, JPEG or WebP")
    inspect_verb.set_defaults(run=inspect)
    models_verb = verbs.add_parser("models", help="list the library")
    models_verb.set_defaults(run=models)
    schema_verb = verbs.add_parser("schema", help="print the preset's JSON Schema")
    schema_verb.set_defaults(run=schema)


def plan(options: argparse.Namespace) -> None:
    """The equation in words, or the whole plan as JSON."""
    library = Library()
    preset = load_preset(options, library)
    compiled = checked_plan(preset, library)
    if options.json:
        say(compiled.as_dict())
        return
    print(compiled)
    each, total = compiled.forwards_per_step, compiled.forwards_total
    span = f"{min(each)}" if min(each) == max(each) else f"{min(each)} to {max(each)}"
    print(f"{span} forward passes a step, {total} in {len(each)} steps, for each image")


def inspect(options: argparse.Namespace) -> None:
    """The preset as JSON, then a line for whatever was carried over otherwise, or not at all."""
    preset, notes = read_image(options.image, Library())
    print(preset.to_json())
    for note in notes:
        print(f"note: {note}")


def models(options: argparse.Namespace) -> None:
    """One JSON line per model."""
    del options
    for entry in Library().entries():
        say(dataclasses.asdict(entry))


def schema(options: argparse.Namespace) -> None:
    """The JSON Schema that presets are validated against."""
    del options
    print(json.dumps(Preset.model_json_schema(), ensure_ascii=False, indent=2))
