"""The verb experiment: a paper's table or figure in miniature, and the page of evidence."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.common import no_loading_bars, output_folder, say
from studio.cli.pooling import add_workers_argument
from studio.errors import StudioError
from studio.home import cache_folder
from studio.workers.choice import read_workers

if TYPE_CHECKING:
    from studio.experiments.experiment import Study

DEFAULT_STEPS = 60  # of a training of a small family; others take their method's own
QUICK_STEPS = 2
RESULTS = "docs/evidence"


def add_verb(verbs: Any) -> None:
    """Declare the verb on argparse's subparsers."""
    verb = verbs.add_parser(
        "experiment",
        help="make a paper's table or figure in miniature; write the page of evidence",
        epilog="Trainings and pictures are kept below STUDIO_HOME and shared between experiments; a "
        "run that was stopped goes on.",
    )
    verb.add_argument("name", nargs="?", metavar="NAME", help="one of --list")
    verb.add_argument("--list", action="store_true", help="the experiments, one JSON line each")
    verb.add_argument("--all", action="store_true", help="every experiment, one after another")
    verb.add_argument(
        "--report", "--page", action="store_true", help="write the page from what is in --out"
    )
    verb.add_argument("--base", metavar="ID", default="starter", help="base model")
    verb.add_argument("--images", metavar="DIR", help="pictures of your own subject")
    verb.add_argument("--word", metavar="TEXT", default="sks", help="the word that calls it")
    verb.add_argument("--superclass", metavar="TEXT", default="", help="the kind of thing it is")
    verb.add_argument("--prompts", metavar="FILE", help="a prompt a line, with {subject}")
    verb.add_argument("--vision", metavar="ID", default="efficientnet-lite0", help="of vision-i …")
    verb.add_argument("--quick", action="store_true", help="whether it runs, not what comes out")
    verb.add_argument("--seconds", type=float, metavar="N", help="make pictures for so long")
    verb.add_argument("--device", metavar="DEVICE", help="cuda, mps or cpu (default cpu)")
    verb.add_argument(
        "--out",
        metavar="DIR",
        help=f"folder of results (default {RESULTS}; with --quick one below STUDIO_HOME)",
    )
    add_workers_argument(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """One JSON object for each experiment, without its cells, which are in --out."""
    import studio.experiments.papers  # noqa: F401 - fills the table
    from studio.experiments.experiment import EXPERIMENTS

    if options.list:
        for name, experiment in EXPERIMENTS.items():
            say({"name": name, "paper": experiment.paper, "claim": experiment.claim})
        return
    if not (options.name or options.all or options.report):
        raise StudioError("give a name, --all, --list or --report", field="experiment")
    read_workers(options.workers)  # what is wrong with it is said once
    if options.name:
        EXPERIMENTS.require(options.name, "experiment")
    if options.name or options.all:
        study = study_of(options)
        _each([options.name] if options.name else list(EXPERIMENTS), study, options)
    if options.report:
        from studio.experiments import page

        say({"written": [str(path) for path in page.write(_folder(options))]})


def _each(names: list[str], study: Study, options: argparse.Namespace) -> None:
    """One after another; of several, one that fails takes no other with it."""
    failed = []
    for name in names:
        try:
            _one(name, study, options)
        except StudioError as error:
            if len(names) == 1:
                raise
            _tell(f"{name}: {error}")
            failed.append(name)
    if failed:
        raise StudioError(f"{len(failed)} did not run: {', '.join(failed)}", field="experiment")


def _folder(options: argparse.Namespace) -> Path:
    quick = str(cache_folder() / "experiments" / "quick")
    return output_folder(options.out or (quick if options.quick else RESULTS))


def _one(name: str, study: Study, options: argparse.Namespace) -> None:
    from studio.experiments.run import run as run_experiment
    from studio.files import write_atomically

    no_loading_bars()
    workers = read_workers(options.workers)
    found = run_experiment(
        name, study, options.device or "cpu", options.vision, _tell, options.seconds, workers
    )
    path = _folder(options) / f"{name}.json"
    write_atomically(path, f"{json.dumps(found, ensure_ascii=False, indent=1)}\n".encode())
    say({**{key: value for key, value in found.items() if key != "cells"}, "path": str(path)})


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def study_of(options: argparse.Namespace) -> Study:
    """The study that the options ask for.

    Raises:
        StudioError: a base that is not there, prompts or pictures that cannot be read.
    """
    from studio.experiments.evaluate import pictures_of
    from studio.experiments.experiment import Study, Subject
    from studio.experiments.subjects import STARTER
    from studio.library import Library
    from studio.train.config import is_small, trainable_base

    small = is_small(trainable_base(Library(), options.base))
    subjects = dict(STARTER)
    if options.images:
        folder = Path(options.images)
        pictures, _ = pictures_of(folder, "--images")
        own = Subject("own", folder, options.word, options.superclass, None, tuple(pictures))
        subjects = dict.fromkeys(STARTER, own)
    elif options.base != "starter" and not options.quick:
        raise StudioError("a base of your own needs pictures of a subject", field="--images")
    prompts = _prompts(options.prompts) if options.prompts else ()
    budget: dict[str, Any] = {"steps": DEFAULT_STEPS, "batch": 8} if small else {}
    sampler = {"steps": 8 if small else 25}
    if options.quick:
        budget, sampler = {"steps": QUICK_STEPS, "batch": 2}, {"steps": QUICK_STEPS}
    return Study(
        base=options.base,
        small=small,
        scale=4.0 if small else 7.5,
        sampler=sampler,
        budget=budget,
        subjects=subjects,
        prompts=prompts,
        quick=options.quick,
    )


def _prompts(path: str) -> tuple[str, ...]:
    from studio.experiments.asked import SUBJECT, read_prompts

    return tuple(read_prompts(Path(path), SUBJECT))
