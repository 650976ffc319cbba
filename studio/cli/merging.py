"""``models merge``: models of the library merged into one of one's own."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import Any

from studio.cli.common import no_loading_bars, say, say_notes
from studio.errors import StudioError
from studio.library import Library
from studio.library.merging import HALF, LORAS, METHODS, PRECISIONS, Recipe, baked
from studio.plan.kept_omega import recipe_of
from studio.plan.kept_rows import advice
from studio.plan.merging import check
from studio.share import read_any

_M = "m: the share of B in a weighted sum, the factor of B − C in add difference; default 0.5"


def declare(doing: Any) -> None:
    """Declare ``merge`` on the subparsers of the verb models."""
    parser = doing.add_parser(
        "merge",
        help="merge models into one of your own: A·(1−m) + B·m, A + m·(B−C), and LoRAs",
    )
    parser.add_argument("name", metavar="NAME", help="what the library will call it")
    parser.add_argument(
        "a",
        metavar="A",
        nargs="?",
        default="",
        help="gives what is not merged: VAE, scheduler, tokenizers",
    )
    parser.add_argument("b", metavar="B", nargs="?", default="")
    parser.add_argument("c", metavar="C", nargs="?", default="")
    parser.add_argument("--multiplier", type=float, metavar="M", help=_M)
    parser.add_argument(
        "--method", choices=METHODS, default="", help="by default the one that the models are for"
    )
    parser.add_argument(
        "--lora",
        action="append",
        default=[],
        metavar="NAME:STRENGTH[:TEXT]",
        help="bake this LoRA in; TEXT: its strength in the text encoders; may be given several times",
    )
    parser.add_argument(
        "--omega-of",
        metavar="PRESET",
        help="instead of A, B and LoRAs: the model that a preset's base term runs on at its ω",
    )
    parser.add_argument(
        "--precision", choices=list(PRECISIONS), default=HALF, help="of what is kept"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be made, and write nothing"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Progress on stderr; the new model's id as one JSON line at the end."""
    library = Library()
    recipe, said = _asked(options, library)
    if options.dry_run:
        found = check(recipe, library)
        say({"id": recipe.name, "formula": recipe.formula(), "bytes": found.bytes})
        return
    from studio.engine.merging.merge import Merged, merge

    no_loading_bars()
    shown = ""
    for event in merge(recipe, library):
        if isinstance(event, Merged):
            say_notes([*event.notes, *filter(None, [said])])
            say({"id": event.id, "path": event.path, "bytes": event.bytes})
            continue
        line = f"{20 * event.done // max(1, event.total) * 5}% {event.stage}"
        if line != shown:
            print(line, file=sys.stderr)
        shown = line


def _asked(options: argparse.Namespace, library: Library) -> tuple[Recipe, str]:
    """The recipe, and what to do with its outcome where it keeps a preset's ω."""
    loras = tuple(baked(one) for one in options.lora)
    if not options.omega_of:
        given = {} if options.multiplier is None else {"multiplier": options.multiplier}
        recipe = Recipe(
            options.name,
            *(options.a, options.b, options.c),
            loras=loras,
            precision=options.precision,
            method=options.method,
            **given,
        )
        if given and recipe.how == LORAS:
            raise StudioError("is of models; LoRAs have their own, NAME:0.8", field="--multiplier")
        return recipe, ""
    if options.a or loras or options.method or options.multiplier is not None:
        raise StudioError(
            "names the models and strengths itself; leave out A, --lora, --method and --multiplier",
            field="--omega-of",
        )
    preset, notes = read_any(options.omega_of, library)
    say_notes(notes)
    recipe = recipe_of(preset, library)
    kept = replace(recipe, name=options.name, precision=options.precision)
    return kept, advice(recipe, preset, library)
