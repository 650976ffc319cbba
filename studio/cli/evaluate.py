"""The verb evaluate: metrics over presets or folders of pictures, and comparisons of two results."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path, PurePath
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
from studio.cli.pooling import add_workers_argument
from studio.cli.scoring import (
    add_scoring_arguments,
    check_metrics,
    name_left_out,
    name_missed,
    scored_by,
    settings_of,
)
from studio.errors import StudioError, shorten
from studio.workers.choice import read_workers

if TYPE_CHECKING:
    from studio.experiments.beside import Beside
    from studio.experiments.evaluate import Job
    from studio.metrics import Scored
    from studio.metrics.intervals import Pair
    from studio.workers.choice import Choice


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
    verb.add_argument("--seeds", metavar="0-9", default="0-3", help="seeds (default 0-3)")
    verb.add_argument("--images", metavar="DIR", help="score these pictures instead of a preset's")
    verb.add_argument("--metrics", metavar="NAME,..", help="default: all that have what they need")
    verb.add_argument("--out", metavar="DIR", help="folder for pictures and results")
    add_workers_argument(verb, "--jobs")
    add_change_arguments(verb)
    add_scoring_arguments(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """One JSON object: ``metrics``, ``pictures``, ``settings``."""
    if options.what[:1] == ["compare"]:
        return _compare(options.what[1:])
    if bool(options.what) == bool(options.images):
        raise StudioError("give a preset, or --images DIR", field="evaluate")
    if options.images:
        return _folder(options)
    if len(options.what) > 1:
        raise StudioError(f"one preset at a time, got {len(options.what)}", field="evaluate")
    return _preset(options)


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
    seeds = evaluate.read_seeds(options.seeds)
    out = output_folder(options.out)
    found = evaluate.jobs(preset, prompts, seeds, out)
    roots = image_roots(options)
    checked_plan(found[0].preset, library, roots)
    texts, each = [job.prompt for job in found], [job.seed for job in found]
    scored = scored_by(options, [job.path for job in found], texts, each)
    beside = Beside.of(_asked(options), out, roots)
    presets = [preset] * len(found)  # alike but for prompt and seed
    starter = preset.base in STARTERS
    names = _checked(options, beside.awaited(scored, presets), starter)
    evaluate.begin(out, preset, prompts, seeds)
    with sharing.share(found) as own:
        _make(own, roots, workers, beside)
    if not sharing.is_first():
        return
    settings = {
        "preset": json.loads(preset.to_json()),
        "prompts": options.prompts,
        "seeds": options.seeds,
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
    """The metrics that are asked for, or all that have what they need; their networks are here.

    Raises:
        StudioError: an unknown metric, or one that lacks what it needs.
    """
    from studio.experiments import evaluate

    names = _asked(options) or evaluate.default_metrics(scored, starter)
    check_metrics(scored, names, "--metrics")
    return names


def _folder(options: argparse.Namespace) -> None:
    from studio.experiments import evaluate

    folder = Path(options.images)
    images, damaged = evaluate.pictures_of(folder, "--images")
    scored = scored_by(options, images, *_asked_for(options, images))
    names = _checked(options, scored, starter=False)
    out = output_folder(options.out) if options.out else None
    settings = {"images": options.images, "damaged": damaged}
    name_left_out(damaged)
    _report(options, scored, names, settings, out)


def _asked_for(options: argparse.Namespace, images: list[Path]) -> tuple[list[str], list[int]]:
    """The prompt and the seed of each picture, by the presets that all of them carry; prompts alone
    by the lines of a file, in order; else neither."""
    from studio.experiments import evaluate
    from studio.experiments.asked import text_of
    from studio.share import read_image

    if options.prompts:
        prompts = evaluate.read_prompts(Path(options.prompts), options.subject)
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


def _compare(paths: list[str]) -> None:
    """Each result less the first, for each metric that every picture has in both."""
    from studio.metrics import compare

    if len(paths) < 2:
        raise StudioError("compare takes two results or more, A.json B.json …", field="evaluate")
    first, *others = [_table(Path(path)) for path in paths]
    _note_differences(paths)
    found = {}
    for path, other in zip(paths[1:], others, strict=True):
        names = [name for name in first if name in other]
        if not names:
            raise StudioError(
                f"{paths[0]} and {path} have no metric of single pictures in common",
                field="compare",
            )
        found[path] = {name: compare(first[name], other[name]).as_dict() for name in names}
    _show(found)
    if len(found) == 1:
        say({"difference": found[paths[1]]})
    else:
        say({"first": paths[0], "differences": found})


def _note_differences(paths: list[str]) -> None:
    """A line on stderr for each result that other networks or cut-outs scored than the first."""
    first, *others = [_settings(Path(path)) for path in paths]
    for path, other in zip(paths[1:], others, strict=True):
        differing = [
            f"{name} {first.get(name, 'none')} and {other.get(name, 'none')}"
            for name in ("clip", "vision", "cut_out", "masks")
            if first.get(name) != other.get(name)
        ]
        if differing:
            print(f"note: {path} was scored otherwise: {', '.join(differing)}", file=sys.stderr)


def _settings(path: Path) -> dict[str, Any]:
    """How a result was scored.

    Raises:
        StudioError: the file holds no result.
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudioError("is no result of evaluate", field=str(path)) from error


def _show(found: dict[str, dict[str, dict[str, float]]]) -> None:
    """The differences as a table, for a person at a terminal."""
    if not sys.stderr.isatty():
        return
    for path, metrics in found.items():
        print(f"{path} less the first", file=sys.stderr)
        for name, of in metrics.items():
            text = f"{of['mean']:+.4f}  ({of['low']:+.4f} to {of['high']:+.4f}, n = {of['n']})"
            print(f"  {name:18} {text}", file=sys.stderr)


def _table(path: Path) -> dict[str, dict[Pair, float]]:
    """Metric → (prompt, seed) → value, from the CSV beside a ``results.json``.

    The picture's name stands for the seed of pictures that have none.

    Raises:
        StudioError: no such result, or two pictures of the same prompt and seed.
    """
    beside = path.parent / "pictures.csv"
    if not path.is_file() or not beside.is_file():
        raise StudioError("is no result of evaluate with its pictures.csv", field=str(path))
    found: dict[str, dict[Pair, float]] = {}
    seen: set[Pair] = set()
    with beside.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            name_of, seed = PurePath(line.pop("picture")).name, line.pop("seed")
            key: Pair = (line.pop("prompt"), seed or name_of)
            if key in seen:
                raise StudioError(
                    f"holds two pictures of {shorten(key[0])} and {key[1]}, so what is paired with "
                    "which is not clear",
                    field=str(path),
                )
            seen.add(key)
            for name, value in line.items():
                found.setdefault(name, {})[key] = float(value)
    return found
