"""The verb evaluate: metrics over presets or folders of pictures, and comparisons of two results."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli import sharing
from studio.cli.common import (
    add_change_arguments,
    checked_plan,
    image_roots,
    load_preset,
    output_folder,
    say,
)
from studio.cli.comparing import compare_results
from studio.cli.pooling import add_workers_argument
from studio.cli.scoring import (
    add_scoring_arguments,
    check_metrics,
    name_left_out,
    name_missed,
    scored_by,
    settings_of,
)
from studio.errors import StudioError
from studio.experiments.default_scores import in_words
from studio.workers.choice import read_workers

if TYPE_CHECKING:
    from studio.experiments.beside import Beside
    from studio.experiments.evaluate import Job
    from studio.metrics import Scored
    from studio.workers.choice import Choice

MAKING = ("seeds", "set", "style", "workers")  # of pictures that a preset makes
SEEDS = "0-3"


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "evaluate",
        help="score a preset over prompts and seeds, or a folder of pictures; compare results",
        epilog="evaluate compare A.json B.json …: each less A, paired by prompt and seed.",
    )
    verb.add_argument(
        "what", nargs="*", metavar="PRESET", help="a preset; or compare A.json B.json …"
    )
    verb.add_argument("--prompts", metavar="FILE", help="a prompt a line; may hold {subject}")
    verb.add_argument("--subject", metavar="TEXT", default="", help="what {subject} stands for")
    verb.add_argument("--seeds", metavar="0-9", help="seeds (default 0-3)")
    verb.add_argument("--images", metavar="DIR", help="score these pictures instead of a preset's")
    verb.add_argument("--metrics", metavar="NAME,..", help=f"default: {in_words()}")
    verb.add_argument("--out", metavar="DIR", help="folder for pictures and results")
    add_workers_argument(verb, "--jobs")
    add_change_arguments(verb)
    add_scoring_arguments(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """One JSON object: ``metrics``, ``pictures``, ``settings``."""
    if options.what[:1] == ["compare"]:
        _refuse_unused(options, "compare, which reads results alone")
        return compare_results(options.what[1:])
    if bool(options.what) == bool(options.images):
        raise StudioError("give a preset, or --images DIR", field="evaluate")
    if options.images:
        _refuse_unused(options, "--images, whose pictures are made already", MAKING)
        return _folder(options)
    if len(options.what) > 1:
        raise StudioError(f"one preset at a time, got {len(options.what)}", field="evaluate")
    return _preset(options)


def _refuse_unused(
    options: argparse.Namespace, beside: str, names: Collection[str] | None = None
) -> None:
    """Refuse what would go nowhere, so that nobody takes a result for what was asked for.

    Args:
        names: the options that are not read; all of them where none are named.

    Raises:
        StudioError: one of them is given.
    """
    parser = argparse.ArgumentParser()
    add_verb(parser.add_subparsers())
    for name, left_out in vars(parser.parse_args(["evaluate"])).items():
        unread = name in names if names is not None else name not in ("what", "run")
        if unread and getattr(options, name) != left_out:
            raise StudioError(f"goes nowhere with {beside}", field=f"--{name.replace('_', '-')}")


def _preset(options: argparse.Namespace) -> None:
    from studio.experiments import evaluate
    from studio.experiments.beside import Beside
    from studio.library import Library
    from studio.metrics.networks import STARTERS

    for name in ("prompts", "out"):
        if not getattr(options, name):
            raise StudioError("is needed with a preset", field=f"--{name}")
    library, workers = Library(), read_workers(options.workers)
    options.preset = options.what[0]
    preset = load_preset(options, library)
    prompts = evaluate.read_prompts(Path(options.prompts), options.subject)
    asked_seeds = SEEDS if options.seeds is None else options.seeds
    seeds = evaluate.read_seeds(asked_seeds)
    out = Path(options.out)
    found = evaluate.jobs(preset, prompts, seeds, out)
    roots = image_roots(options)
    checked_plan(found[0].preset, library, roots)
    texts, each = [job.prompt for job in found], [job.seed for job in found]
    scored = scored_by(options, [job.path for job in found], texts, each)
    beside = Beside.of(_asked(options), out, roots)
    presets = [preset] * len(found)  # alike but for prompt and seed
    starter = preset.base in STARTERS
    names = _checked(options, beside.awaited(scored, presets), starter)
    evaluate.begin(output_folder(options.out), preset, prompts, seeds)
    with sharing.share(found) as own:
        _make(own, roots, workers, beside)
    if not sharing.is_first():
        return
    settings = {
        "preset": json.loads(preset.to_json()),
        "prompts": options.prompts,
        "seeds": asked_seeds,
    }
    _report(options, beside.measured(scored, presets), names, settings, out)


def _make(found: Sequence[Job], roots: list[Path], workers: Choice, beside: Beside) -> None:
    """Make what is missing; progress with the time that is left on stderr."""
    from studio.experiments import evaluate

    left = list(evaluate.missing(found, beside.kept))
    began = time.monotonic()

    def tell(number: int) -> None:
        each = (time.monotonic() - began) / number
        if number % max(1, len(left) // 50) == 0 or number == len(left):
            seconds = round(each * (len(left) - number))
            print(
                f"picture {len(found) - len(left) + number} of {len(found)}, {seconds} s left",
                file=sys.stderr,
                flush=True,
            )

    sharing.make_all([(job.preset, job.path) for job in left], roots, workers, beside.drift, tell)


def _asked(options: argparse.Namespace) -> list[str]:
    return [name.strip() for name in options.metrics.split(",")] if options.metrics else []


def _checked(options: argparse.Namespace, scored: Scored, starter: bool) -> list[str]:
    """The metrics that are asked for, or the few that are taken unasked; their networks are here.

    Raises:
        StudioError: an unknown metric, or one that lacks what it needs.
    """
    from studio.experiments import evaluate

    names = _asked(options) or evaluate.default_metrics(scored, starter)
    check_metrics(scored, names, "--metrics")
    return names


def _folder(options: argparse.Namespace) -> None:
    from studio.experiments import evaluate
    from studio.experiments.asked import prompts_of

    folder = Path(options.images)
    prompts = prompts_of(options.prompts, options.subject)
    images, damaged = evaluate.pictures_of(folder, "--images")
    scored = scored_by(options, images, *_asked_for(prompts, images))
    names = _checked(options, scored, starter=False)
    out = output_folder(options.out) if options.out else None
    if out is not None:
        evaluate.begin_folder(out, folder, prompts)
    settings = {"images": options.images, "damaged": damaged}
    name_left_out(damaged)
    _report(options, scored, names, settings, out)


def _asked_for(prompts: list[str], images: list[Path]) -> tuple[list[str], list[int]]:
    """The prompt and the seed of each picture, by the presets that all of them carry; prompts alone
    by the lines of a file, in order; else neither."""
    from studio.experiments.asked import text_of
    from studio.share import read_image

    if prompts:
        if len(prompts) != len(images):
            raise StudioError(
                f"{len(prompts)} prompts for {len(images)} pictures", field="--prompts"
            )
        return prompts, []
    try:
        presets = [read_image(path)[0] for path in images]
    except StudioError:
        return [], []
    texts = [text_of(preset) for preset in presets]
    return (texts, [preset.sampler.seed for preset in presets]) if all(texts) else ([], [])


def _report(
    options: argparse.Namespace,
    scored: Scored,
    names: list[str],
    settings: dict[str, Any],
    out: Path | None,
) -> None:
    from studio.cli.common import no_loading_bars
    from studio.experiments import evaluate

    no_loading_bars()
    metrics, values = evaluate.score(scored, names)
    name_missed(scored)
    settings |= settings_of(scored)
    results = {"metrics": metrics, "pictures": len(scored.images), "settings": settings}
    if out is not None:
        evaluate.write_results(out, scored, results, values)
    say(results)
