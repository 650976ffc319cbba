"""``python -m studio.starter``: remake the shipped models; every stage goes on where it stopped."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from studio.home import ASSETS
from studio.starter import shipped
from studio.starter.common import join_processes, log, pick_device
from studio.starter.pictures import data, packed
from studio.starter.stages import (
    canny,
    card,
    clip,
    concept,
    decoder,
    export,
    judge,
    limits,
    lora,
    measure,
    preferences,
    prior,
    realism,
    vae,
)

# Minutes per stage on two CPU cores, and on a GPU.
MINUTES = {
    "ground": (90.0, 2.0),
    "clip": (31.0, 1.2),
    "vae": (24.0, 2.0),
    "prior": (148.0, 3.0),
    "decoder": (50.0, 1.2),
    "faces": (11.0, 1.2),
    "animals": (26.0, 1.2),
    "food": (10.0, 0.8),
    "canny": (9.0, 1.2),
    "blob": (5.0, 0.6),
    "hero": (3.0, 0.4),
    "fox": (8.0, 0.6),
    "polar": (5.0, 0.4),
    "word": (5.0, 0.4),
    "glossy": (8.0, 0.6),
    "judge": (8.0, 0.8),
}


# What does not wait for each other.
WAVES = (
    ("data",),
    ("ground", "judge", "vae"),
    ("prior", "clip"),
    (*concept.CONCEPTS, "canny", *lora.SUBJECTS, "glossy", "decoder"),
    ("limits", "measure", "realism"),
    ("export",),
    ("card",),
)


def stages(
    work: Path, assets: Path, minutes: dict[str, float], device: torch.device, prompts: int
) -> dict[str, Callable[[], object]]:
    """Every stage by name, in order."""
    return {
        "data": lambda: data.rasterise(work),
        "ground": lambda: clip.prepare(work, minutes["ground"], device),
        "clip": lambda: clip.train(work, minutes["ground"], minutes["clip"], device),
        "vae": lambda: vae.train(work, minutes["vae"], device),
        "prior": lambda: prior.train(work, minutes["prior"], device),
        "decoder": lambda: decoder.train(work, minutes["decoder"], device),
        **{
            name: partial(concept.train, work, name, minutes[name], device)
            for name in concept.CONCEPTS
        },
        "canny": lambda: canny.train(work, minutes["canny"], device),
        **{name: partial(lora.train, work, name, minutes[name], device) for name in lora.SUBJECTS},
        "glossy": lambda: preferences.train(work, minutes["glossy"], device),
        "judge": lambda: judge.train(work, minutes["judge"], device),
        "limits": lambda: limits.measure(work, max(4, prompts // 5), device=device),
        "measure": lambda: measure.measure(work, assets, prompts, device=device),
        "realism": lambda: realism.measure(work, assets, prompts // 2, device=device),
        "export": lambda: export.export(work, assets),
        "card": lambda: card.write(assets / "starter"),
    }


def parser() -> argparse.ArgumentParser:
    """The command line."""
    home = Path(os.environ.get("STUDIO_HOME") or "~/.guidance-studio").expanduser()
    result = argparse.ArgumentParser(prog="python -m studio.starter", description=__doc__)
    result.add_argument("--stage", nargs="+", metavar="NAME", help="only these stages")
    result.add_argument(
        "--work", type=Path, default=home / "starter-work", help="folder for data and checkpoints"
    )
    result.add_argument("--assets", type=Path, default=ASSETS, help="where the models are written")
    result.add_argument(
        "--go-on",
        action="store_true",
        help="start an empty work folder from what ships, to train it further",
    )
    result.add_argument(
        "--side-by-side",
        action="store_true",
        help="run stages that do not wait for each other at the same time, as a GPU likes it",
    )
    result.add_argument(
        "--pack", type=Path, metavar="FILE", help="only write the drawings into FILE"
    )
    result.add_argument("--drawings", type=Path, metavar="FILE", help="read what --pack wrote")
    result.add_argument("--threads", type=int, help="CPU threads")
    result.add_argument("--prompts", type=int, default=1030, help="how many prompts to measure")
    for name in MINUTES:
        result.add_argument(
            f"--minutes-{name}", type=float, metavar="M", help=f"training budget of {name}, in all"
        )
    return result


def main(arguments: list[str] | None = None) -> int:
    """Run the stages that were asked for."""
    options = parser().parse_args(arguments)
    join_processes()
    device = pick_device()
    if options.threads:
        torch.set_num_threads(options.threads)
    minutes = {}
    for name, (slow, fast) in MINUTES.items():
        given = getattr(options, f"minutes_{name}")
        minutes[name] = given if given is not None else (fast if device.type == "cuda" else slow)
    options.work.mkdir(parents=True, exist_ok=True)
    if options.drawings:
        packed.unpack(options.drawings, options.work)
    if options.go_on:
        shipped.unpack(options.work, ASSETS)
    if options.pack:
        packed.pack(options.work, options.pack)
        return 0
    if options.side_by_side:
        return side_by_side(arguments if arguments is not None else sys.argv[1:], options.stage)
    known = stages(options.work, options.assets, minutes, device, options.prompts)
    unknown = set(options.stage or ()) - set(known)
    if unknown:
        parser().error(f"unknown stage {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    for name, run in known.items():
        if not options.stage or name in options.stage:
            log(f"stage {name} on {device}")
            run()
    return 0


def side_by_side(given: list[str], asked: list[str] | None) -> int:
    """Run the stages in waves, each stage in a process of its own with the same options.

    A stage that fails is named, and the others go on; returns how many failed.
    """
    kept = [option for option in given if option != "--side-by-side"]
    failed = 0
    for wave in WAVES:
        names = [name for name in wave if not asked or name in asked]
        running = {
            name: subprocess.Popen([sys.executable, "-m", "studio.starter", *kept, "--stage", name])
            for name in names
        }
        for name, process in running.items():
            if process.wait():
                failed += 1
                log(f"stage {name} failed")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
