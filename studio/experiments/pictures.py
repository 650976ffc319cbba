"""An experiment's pictures: made by the engine, each kept with what the engine reports of it.

A picture is found again by its whole preset, so that experiments share cells and a run that was
stopped goes on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import studio
from studio.engine import Engine
from studio.events import Done, mean_drift
from studio.experiments.experiment import MODEL
from studio.files import write_atomically
from studio.home import cache_folder
from studio.library import ADAPTERS, Library
from studio.preset import Preset, validate
from studio.share.write import encode
from studio.workers.job import Job
from studio.workers.pool import Pool

TOGETHER = 8  # pictures of one prompt in a batch
SHOWN = 10  # batches between two lines of the workers' progress


@dataclass(frozen=True)
class Made:
    """One picture and what the engine reports of it."""

    path: Path
    forwards: int
    seconds: float
    drift: float | None


def filled(
    preset: Mapping[str, Any], says: Mapping[str, str], model: str, library: Library
) -> Preset:
    """A cell's preset with the trained model and the prompt in place.

    Args:
        says: place in braces → the text that belongs there.
        model: what :data:`MODEL` stands for; "" where nothing was trained.
    """
    entry = library.get(model) if model else None
    named: Any = {"lora": model} if entry is not None and entry.kind in ADAPTERS else model

    def put(value: Any) -> Any:
        if isinstance(value, str):
            for place, text in says.items():
                value = value.replace(place, text)
            return named if value == MODEL else value
        if isinstance(value, Mapping):
            return {key: put(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [put(part) for part in value]
        return value

    return validate(put(preset))


def make(
    engine: Engine,
    preset: Preset,
    seeds: Sequence[int],
    drift: bool = False,
    tell: Callable[[int], object] = lambda made: None,
) -> list[Made]:
    """The preset's pictures with these seeds, in their order; those that are kept are not made again.

    Args:
        drift: measure how far the personalised weights lead from the prior at every step.
        tell: gets the number of pictures that were made anew.
    """
    for batch in batches(preset, seeds, drift):
        began = time.process_time()
        found = engine.generate(batch.preset, int(drift))
        done = [event for event in found if isinstance(event, Done)]
        batch.keep(done, time.process_time() - began, engine.device.type)
        tell(len(done))
    return [_read(_place(preset, seed, drift)) for seed in seeds]


def make_ahead(
    pool: Pool, pack: Callable[[Preset], Job], found: Sequence[Batch], tell: Callable[[str], object]
) -> set[Path]:
    """Have workers make and keep batches, each once; the files of their pictures.

    Args:
        tell: gets a line of progress now and then.
    """
    waiting = list({tuple(one.places.values()): one for one in found}.values())  # some are shared
    made = set[Path]()
    with closing(pool.run([one.preset for one in waiting], pack)) as run:
        for count, (number, answer) in enumerate(run, 1):
            waiting[number].keep(answer.done, answer.spent, answer.device)
            made.update(waiting[number].places.values())
            if count % SHOWN == 0 or count == len(waiting):
                tell(f"workers: {count} of {len(waiting)} batches of pictures")
    return made


@dataclass(frozen=True)
class Batch:
    """Pictures that are made together, and where each is kept."""

    preset: Preset
    places: Mapping[int, Path]

    def keep(self, done: Sequence[Done], spent: float, device: str) -> None:
        """Keep the pictures.

        Args:
            spent: seconds of processor time that all took; on a CPU these are kept.
        """
        for event in done:
            seconds = spent / len(done) if device == "cpu" else event.seconds
            _keep(event, self.places[event.seed], seconds)


def batches(preset: Preset, seeds: Sequence[int], drift: bool) -> list[Batch]:
    """The preset's pictures that are not kept yet; consecutive seeds together."""
    places = {seed: _place(preset, seed, drift) for seed in seeds}
    missing = [seed for seed in seeds if not places[seed].with_suffix(".json").exists()]
    found = []
    for run in _runs(missing):
        sampler = preset.sampler.model_copy(update={"seed": run[0], "count": len(run)})
        own = {seed: places[seed] for seed in run}
        found.append(Batch(preset.model_copy(update={"sampler": sampler}), own))
    return found


def _place(preset: Preset, seed: int, drift: bool) -> Path:
    sampler = preset.sampler.model_copy(update={"seed": seed, "count": 1})
    text = preset.model_copy(update={"sampler": sampler}).to_json()
    measured = (
        "of noises" if drift else False
    )  # not those kept when it was of the networks' outputs
    key = hashlib.sha256(f"{studio.__version__} {measured} {text}".encode()).hexdigest()[:32]
    return cache_folder() / "experiments" / key[:2] / f"{key}.png"


def _runs(seeds: Sequence[int]) -> list[list[int]]:
    """Consecutive seeds together, as one batch counts them."""
    runs: list[list[int]] = []
    for seed in sorted(seeds):
        if runs and seed == runs[-1][-1] + 1 and len(runs[-1]) < TOGETHER:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return runs


def _keep(done: Done, path: Path, seconds: float) -> None:
    said = {
        "forwards": done.forwards,
        "seconds": seconds,
        "drift": mean_drift(done),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, encode(done.image, done.preset, ".png", []))
    write_atomically(path.with_suffix(".json"), json.dumps(said).encode())


def _read(path: Path) -> Made:
    return Made(path, **json.loads(path.with_suffix(".json").read_text(encoding="utf-8")))
