"""The verb bench: what the engine's reductions are worth on this machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
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
    verb.add_argument(
        "--seconds",
        type=_positive,
        metavar="N",
        help="begin no further round after these, and wait for no variant; with --all: in all",
    )
    verb.add_argument("--only", choices=("ratios", "variants"), help="without the other")
    verb.add_argument(
        "--output", metavar="FILE", type=Path, help="write the JSON there too, after each part"
    )
    instead = verb.add_mutually_exclusive_group()
    instead.add_argument("--training", action="store_true", help="steps of trainings instead")
    instead.add_argument(
        "--quality",
        action="store_true",
        help="evaluations against error of approximate runs, on the starter; --rounds: its seeds",
    )
    instead.add_argument(
        "--all",
        action="store_true",
        help="everything, most important first, each part in a process of its own, with a limit "
        "that suits a GPU",
    )
    instead.add_argument(
        "--history",
        action="store_true",
        help="how long a history of 50,000 pictures takes to answer; --rounds: of each",
    )
    instead.add_argument(
        "--page",
        action="store_true",
        help="how fast the page is in a browser: opened with 50,000 pictures and with none, "
        "scrolled, and with 100 rows; --rounds: of each",
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
    if options.all:
        _all(options)
        return
    if options.history:
        _history(options)
        return
    if options.page:
        _page(options)
        return
    if options.only and options.training:
        raise StudioError("goes without --training", field="--only")
    settings = Settings(
        options.size,
        options.device,
        options.steps,
        options.rounds,
        options.latent,
        options.training,
        options.seconds,
        options.only,
    )
    result = run(settings, _tell, _keep(options))
    say(result)
    print(markdown(result), file=sys.stderr)


def _quality(options: argparse.Namespace) -> None:
    from studio.bench import quality

    _without(options, "--quality", "size", "latent", "seconds", "only")
    result = quality.run(
        options.rounds or quality.SEEDS,
        options.steps or quality.STEPS,
        options.device,
        _tell,
        _keep(options),
    )
    say(result)
    print(quality.markdown(result), file=sys.stderr)


def _history(options: argparse.Namespace) -> None:
    from studio.bench import history

    _of_rounds(options, "--history", history)


def _page(options: argparse.Namespace) -> None:
    from studio.bench import page

    _of_rounds(options, "--page", page)


def _of_rounds(options: argparse.Namespace, flag: str, part: Any) -> None:
    """A part of the benchmark that is told nothing but how many rounds it has."""
    _without(options, flag, "size", "latent", "steps", "seconds", "only")
    result = part.run(rounds=options.rounds or part.ROUNDS, tell=_tell)
    _keep(options)(result)
    say(result)
    print(part.markdown(result), file=sys.stderr)


def _all(options: argparse.Namespace) -> None:
    from studio.bench import parts
    from studio.engine.networks.devices import choose

    _without(options, "--all", "size", "latent", "rounds", "steps", "only")
    device = choose(options.device).type
    result = parts.run(device, options.seconds, _tell, _keep(options))
    say(result)
    print(parts.markdown(result), file=sys.stderr)


def _without(options: argparse.Namespace, chosen: str, *others: str) -> None:
    """Say of an option that ``chosen`` leaves nothing to it."""
    for name in others:
        if getattr(options, name) not in (None, "starter"):
            raise StudioError(f"goes without {chosen}", field=f"--{name}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _keep(options: argparse.Namespace) -> Callable[[Mapping[str, Any]], object]:
    from studio.bench.parts import save

    return save(options.output) if options.output else lambda _: None


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value
