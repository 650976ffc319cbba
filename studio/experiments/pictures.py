"""An experiment's pictures: made by the engine, each kept with what the engine reports of it.

A picture is found again by its whole preset, so that experiments share cells and a run that was
stopped goes on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
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

TOGETHER = 8  # pictures of one prompt in a batch


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
    places = {seed: _place(preset, seed, drift) for seed in seeds}
    missing = [seed for seed in seeds if not places[seed].with_suffix(".json").exists()]
    for run in _runs(missing):
        sampler = preset.sampler.model_copy(update={"seed": run[0], "count": len(run)})
        began = time.process_time()
        found = engine.generate(preset.model_copy(update={"sampler": sampler}), int(drift))
        done = [event for event in found if isinstance(event, Done)]
        spent = (time.process_time() - began) / len(run)
        for event in done:
            _keep(
                event, places[event.seed], spent if engine.device.type == "cpu" else event.seconds
            )
        tell(len(run))
    return [_read(places[seed]) for seed in seeds]


def _place(preset: Preset, seed: int, drift: bool) -> Path:
    sampler = preset.sampler.model_copy(update={"seed": seed, "count": 1})
    text = preset.model_copy(update={"sampler": sampler}).to_json()
    key = hashlib.sha256(f"{studio.__version__} {drift} {text}".encode()).hexdigest()[:32]
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
