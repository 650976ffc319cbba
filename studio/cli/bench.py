"""The verb bench: what the engine's reductions are worth on this machine."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from studio.cli.common import no_loading_bars, say
from studio.errors import StudioError

SIZES = ("starter", "small", "sd15")


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("bench", help="measure the engine against its peers on this machine")
    verb.add_argument("--size", choices=SIZES, default="starter", help="whose networks")
    verb.add_argument("--device", metavar="D", help="cuda or cpu; by default the engine's choice")
    verb.add_argument("--rounds", type=_positive, metavar="N", help="how often each run is timed")
    verb.add_argument("--steps", type=_positive, metavar="N", help="denoising steps of a run")
    verb.add_argument("--latent", type=_positive, metavar="N", help="edge of the latents")
    instead = verb.add_mutually_exclusive_group()
    instead.add_argument("--training", action="store_true", help="steps of trainings instead")
    instead.add_argument(
        "--quality",
        action="store_true",
        help="evaluations against error of approximate runs, on the starter; --rounds: its seeds",
    )
    verb.set_defaults(run=bench)


def bench(options: argparse.Namespace) -> None:
    """One JSON object on stdout; the same as a table to read on stderr."""
    from studio.bench.bench import Settings, run
    from studio.bench.report import markdown

    no_loading_bars()
    if options.quality:
        _quality(options)
        return
    settings = Settings(
        options.size,
        options.device,
        options.steps,
        options.rounds,
        options.latent,
        options.training,
    )
    result = run(settings, lambda text: print(text, file=sys.stderr, flush=True))
    say(result)
    print(markdown(result), file=sys.stderr)


def _quality(options: argparse.Namespace) -> None:
    from studio.bench import quality

    for name, given in (("--size", options.size != "starter"), ("--latent", options.latent)):
        if given:
            raise StudioError(
                "goes without --quality, which is of the starter's pictures", field=name
            )
    result = quality.run(
        options.rounds or quality.SEEDS,
        options.steps or quality.STEPS,
        options.device,
        lambda text: print(text, file=sys.stderr, flush=True),
    )
    say(result)
    print(quality.markdown(result), file=sys.stderr)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value
