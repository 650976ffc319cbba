"""What approximate runs are worth: evaluations against the error of the picture, beside fewer steps.

The same presets run exactly, at several efforts (:mod:`studio.engine.effort`) and with fewer steps,
all from the same seeds on the shipped starter models. An error is the picture's peak signal-to-noise
ratio against the exact one (:mod:`studio.bench.decibels`).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from studio.bench import caches, machine
from studio.bench.decibels import decibels, in_decibels
from studio.engine import Engine
from studio.events import Done
from studio.home import ASSETS
from studio.metrics.backbones import Backbones
from studio.metrics.scores import cosine
from studio.preset import Preset, validate

ROWS = (
    ("a lion in flat style", 4.0),
    ("on a blue background", 2.5),
    ("a crown", 1.5),
    ("in noto style", 1.0),
    ("a tiger", 1.0),
    ("glossy", 0.75),
    ("on a red background", -0.75),
    ("a robot", -1.0),
)
STARTER = ASSETS / "starter"
ALONE = 7.5  # the weight of the first row where it is the only one
COUNTS = (1, 3, 8)
EFFORTS: tuple[str | float, ...] = (0.015, "balanced", "fast", 0.1)
STEPS, FEWER = 25, (18, 12, 10)
SEEDS = 6
ROUNDS = 3  # of all runs, one after the other; a time is the median of its rounds' ratios
Tell = Callable[[str], object]


def run(
    seeds: int = SEEDS,
    steps: int = STEPS,
    device: str | None = None,
    tell: Tell = lambda _: None,
    keep: Callable[[dict[str, Any]], object] = lambda _: None,
) -> dict[str, Any]:
    """Measure.

    Args:
        seeds: pictures of every run.
        steps: of DPM-Solver++ 2M, where they are not fewer.
        tell: called with the name of each run before it begins.
        keep: called with what there is after each number of rows.

    Returns:
        ``machine``, ``setup``, ``quality``: number of rows → the runs, the exact one first, and
        ``caches``: number of rows → a plain loop with each of diffusers' caches (:mod:`.caches`).
    """
    if device != "cuda":
        torch.set_num_threads(1)
    engine = Engine(device)
    setup = {
        "base": Preset().base,
        "scheduler": Preset().sampler.scheduler,
        "steps": steps,
        "seeds": seeds,
        "rounds": ROUNDS,
        "precision": str(engine.dtype).removeprefix("torch."),
        "rows": [list(row) for row in ROWS],
    }
    result: dict[str, Any] = {
        "machine": machine.describe(engine.device),
        "setup": setup,
        "quality": {},
    }
    for count in COUNTS:
        result["quality"][str(count)] = measure(engine, count, seeds, steps, tell)
        keep(result)
    for count in COUNTS:
        found = caches.measure(STARTER, rows_of(count), steps, seeds, engine.device.type, tell)
        result["caches"] = {**result.get("caches", {}), str(count): found}
        keep(result)
    return result


def rows_of(count: int) -> list[tuple[str, float]]:
    """The first ``count`` rows; one that is alone weighs more."""
    return [(ROWS[0][0], ALONE)] if count == 1 else list(ROWS[:count])


def measure(
    engine: Engine,
    count: int,
    seeds: int,
    steps: int,
    tell: Tell = lambda _: None,
    rounds: int = ROUNDS,
    **fields: Any,
) -> list[dict[str, Any]]:
    """All runs of ``count`` rows; ``fields``: further ones of the preset.

    Each is ``run``, ``share`` (of the exact run's evaluations), ``time`` (of its seconds), ``psnr`` and
    ``worst`` (median and least, in dB; ``None`` where pictures are the same), ``estimate`` (the
    mean error that the engine states) and ``clip_t`` (the mean cosine with the first row's prompt).
    """
    runs: list[tuple[str, int, str | float]] = [("exact", steps, "exact")]
    runs += [(f"effort {effort}", steps, effort) for effort in EFFORTS]
    fewer = sorted({max(1, steps * few // STEPS) for few in FEWER}, reverse=True)
    runs += [(f"{few} steps", few, "exact") for few in fewer]
    clock = time.process_time if engine.device.type == "cpu" else time.perf_counter
    presets = []
    for _, own, effort in runs:
        rows = [{"prompt": prompt, "weight": weight} for prompt, weight in rows_of(count)]
        sampler = {"steps": own, "seed": 0, "count": seeds, "effort": effort}
        presets.append(validate({"rows": rows, **fields, "sampler": sampler}))
    list(engine.generate(presets[0]))  # networks are loaded, kernels are chosen
    made: list[list[Done]] = []
    ratios: list[list[float]] = [[] for _ in runs]
    for turn in range(rounds):
        seconds = [0.0] * len(runs)
        for place in range(len(runs)) if turn % 2 == 0 else reversed(range(len(runs))):
            tell(f"{count} rows, round {turn + 1} of {rounds}, {runs[place][0]}")
            begun = clock()
            done = [e for e in engine.generate(presets[place]) if isinstance(e, Done)]
            seconds[place] = clock() - begun
            if not turn:
                made.append(done)
        for kept, own in zip(ratios, seconds, strict=True):
            kept.append(own / seconds[0])
    return [
        _row(name, done, made[0], statistics.median(parts))
        for (name, *_), done, parts in zip(runs, made, ratios, strict=True)
    ]


def _row(name: str, done: Sequence[Done], exact: Sequence[Done], part: float) -> dict[str, Any]:
    drawn, plain = (np.stack([np.asarray(one.image) for one in some]) for some in (done, exact))
    return {
        "run": name,
        "share": round(sum(d.forwards for d in done) / sum(d.forwards for d in exact), 3),
        "time": round(part, 3),
        **decibels(drawn, plain),
        "estimate": round(statistics.fmean(d.estimated_error for d in done), 4),
        "clip_t": round(_clip_t(done), 4),
    }


def _clip_t(done: Sequence[Done]) -> float:
    backbones = Backbones(keep=False)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{index}.png" for index in range(len(done))]
        for path, one in zip(paths, done, strict=True):
            one.image.save(path)
        pictures = backbones.pictures(backbones.clip, paths)
    return float(cosine(pictures, backbones.texts(backbones.clip, [ROWS[0][0]] * len(done))).mean())


def markdown(result: dict[str, Any]) -> str:
    """The curve as a table to read, and diffusers' caches below it where they were measured."""
    lines = [
        "| rows | run | evaluations | time | PSNR median (min), dB | estimated error | CLIP-T |",
        "|---|---|---|---|---|---|---|",
    ]
    for count, runs in result["quality"].items():
        for one in runs:
            estimate = f"{one['estimate']:.3f}" if one["estimate"] else "–"
            lines.append(
                f"| {count} | {one['run']} | {one['share']:.2f} | {one['time']:.2f} | {in_decibels(one)} | "
                f"{estimate} | {one['clip_t']:.3f} |"
            )
    table = "\n".join(lines) + "\n"
    return f"{table}\n{caches.markdown(result['caches'])}" if "caches" in result else table
