"""The verb bench: what the engine's reductions are worth on this machine."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from studio.cli.common import no_loading_bars, say

SIZES = ("starter", "small", "sd15")


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser("bench", help="measure the engine against its peers on this machine")
    verb.add_argument("--size", choices=SIZES, default="starter", help="whose networks")
    verb.add_argument("--device", metavar="D", help="cuda or cpu; by default the engine's choice")
    verb.add_argument("--rounds", type=_positive, metavar="N", help="how often each run is timed")
    verb.add_argument("--steps", type=_positive, metavar="N", help="denoising steps of a run")
    verb.add_argument("--latent", type=_positive, metavar="N", help="edge of the latents")
    verb.add_argument("--training", action="store_true", help="steps of trainings instead")
    verb.set_defaults(run=bench)


def bench(options: argparse.Namespace) -> None:
    """One JSON object on stdout; the same as a table to read on stderr."""
    from studio.bench.bench import Settings, run
    from studio.bench.report import markdown

    no_loading_bars()
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


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value
