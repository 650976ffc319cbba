"""``python -m studio.starter``: remake the shipped models; every stage goes on where it stopped."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import torch

from studio.home import ASSETS
from studio.starter import shipped
from studio.starter.common import join_processes, log, pick_device
from studio.starter.pictures import data
from studio.starter.stages import (
    canny,
    card,
    clip,
    concept,
    decoder,
    export,
    judge,
    lora,
    measure,
    prior,
    vae,
)

# Minutes per stage on two CPU cores, and on a GPU.
MINUTES = {
    "ground": (12.0, 2.0),
    "clip": (31.0, 4.0),
    "vae": (24.0, 6.0),
    "prior": (148.0, 30.0),
    "decoder": (50.0, 6.0),
    "faces": (11.0, 5.0),
    "animals": (26.0, 5.0),
    "canny": (9.0, 5.0),
    "blob": (5.0, 2.0),
    "hero": (3.0, 1.0),
    "judge": (8.0, 3.0),
}


def stages(
    work: Path, assets: Path, minutes: dict[str, float], device: torch.device, prompts: int
) -> dict[str, Callable[[], object]]:
    """Every stage by name, in order."""
    bf16 = device.type == "cpu"
    return {
        "data": lambda: data.rasterise(work),
        "clip": lambda: clip.train(work, minutes["ground"], minutes["clip"], device),
        "vae": lambda: vae.train(work, minutes["vae"], device),
        "prior": lambda: prior.train(work, minutes["prior"], device, cpu_bf16=bf16),
        "decoder": lambda: decoder.train(work, minutes["decoder"], device, cpu_bf16=bf16),
        "faces": lambda: concept.train(work, "face", minutes["faces"], device),
        "animals": lambda: concept.train(work, "animal", minutes["animals"], device),
        "canny": lambda: canny.train(work, minutes["canny"], device),
        "blob": lambda: lora.train(work, "blob", minutes["blob"], device),
        "hero": lambda: lora.train(work, "hero", minutes["hero"], device),
        "judge": lambda: judge.train(work, minutes["judge"], device),
        "measure": lambda: measure.measure(work, assets, prompts),
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
    result.add_argument("--threads", type=int, help="CPU threads")
    result.add_argument("--prompts", type=int, default=436, help="how many prompts to measure")
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
    if options.go_on:
        shipped.unpack(options.work, options.assets)
    known = stages(options.work, options.assets, minutes, device, options.prompts)
    unknown = set(options.stage or ()) - set(known)
    if unknown:
        parser().error(f"unknown stage {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    for name, run in known.items():
        if not options.stage or name in options.stage:
            log(f"stage {name} on {device}")
            run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
