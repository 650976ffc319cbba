"""Random trainings: a step's losses and gradients against tests/support/train_oracle.py, in float64.

    python -m tests.train.fuzz --runs 200 [--first SEED]

The losses are compared with numpy, and the gradient, along random directions, with the central
difference of numpy's total, in which what ACCORD stops stays as it was.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from studio.cli.common import no_loading_bars
from studio.library import Library
from studio.train import resolve
from studio.train.machine import accelerator_for, release
from studio.train.method import METHODS
from studio.train.step import Stepper
from tests.support import train_tiny
from tests.support.train_oracle import Loss, start_mark_held

TOLERANCE = 1e-9  # of the losses, relative
SLOPE = 1e-5  # of the gradient, relative to its length
WIDTH = 1e-5  # of the central difference
WAYS = 1  # random directions of a gradient


def random_training(seed: int) -> dict[str, Any]:
    """Settings of a training, without its folders."""
    chance = random.Random(seed)
    method = chance.choice(sorted(METHODS))
    record = METHODS[method]
    given: dict[str, Any] = {
        "method": method,
        "base": chance.choice(["tiny", "tiny", "velocity"]),
        "batch": chance.choice([1, 2, 3]),
        "accumulation": chance.choice([1, 1, 2]),
        "time_power": chance.choice([1.0, 0.6, 2.0]),
        "flips": chance.random() < 0.3,
        "masks": chance.random() < 0.7,
        "seed": chance.randrange(100),
        "null_text": chance.choice(["uniform", "calibrated"]),
        "vectors": chance.choice([1, 2]),
        "rank": chance.choice([1, 2]),
        "targets": chance.choice(["attention", "attention+mlp"]),
    }
    if record.without_text:
        return given
    if chance.random() < 0.6:
        given["ddloss"] = chance.choice([0.1, 0.3])
        given["ddloss_norm"] = chance.choice(["sum", "sum", "mean"])
    if chance.random() < 0.4:
        given["pdloss"] = chance.choice([0.003, 0.5])
    elif chance.random() < 0.5:
        given["caption_dropout"] = 0.5
    if "prior_weight" in record.losses and chance.random() < 0.5:
        given["prior_weight"] = chance.choice([0.5, 1.0])
    return given


class Fuzz:
    """Two tiny bases, which predict ε and v, and pictures of a target and of its class."""

    def __init__(self, home: Path) -> None:
        no_loading_bars()
        for library in (diffusers_logging, transformers_logging):
            library.set_verbosity_error()
        self.home = home
        train_tiny.base(home)
        train_tiny.base(home, "velocity", prediction="v_prediction")
        self.folder = train_tiny.pictures(home / "pictures")
        train_tiny.mask(self.folder / "masks", "1.png")
        self.classes = train_tiny.pictures(home / "classes", {"0.png": "", "1.png": ""})

    def differences(self, given: dict[str, Any]) -> dict[str, float]:
        """Name of a loss, or ``slope`` → how far it is from the oracle's, relative."""
        method, own = given["method"], {k: v for k, v in given.items() if k != "method"}
        if given.get("prior_weight"):
            own["class_images"] = str(self.classes)
        name = f"run{abs(hash(str(given)))}"
        config = resolve(
            train_tiny.settings(self.folder, method, name=name, **own),
            Library((self.home / "models",)),
        )
        accelerator = accelerator_for(config, "cpu")
        try:
            stepper = train_tiny.stepper(config, accelerator)
            batches = _in_double(stepper)
            losses = stepper(0)
            gradients = [
                torch.zeros_like(p) if p.grad is None else p.grad.clone()
                for p in stepper.parameters
            ]
            with start_mark_held(stepper.trainee):
                return _compared(stepper, losses, gradients, batches)
        finally:
            release(accelerator)


def _in_double(stepper: Stepper) -> dict[int, list[Any]]:
    """Everything in float64; returns, by kind of batch, the batches that the step will draw."""
    job = stepper.job
    stepper.trainee.double()
    job.base.text.double()
    encoders = [getattr(stepper.trainee, "encoder", None)]
    if job.projector is not None:
        job.projector.model.double()
        encoders.append(job.projector.encoder)
    for encoder in encoders:
        if encoder is not None:
            encoder._known.clear()
    if job.projector is not None and job.prior is not None:
        general = sorted({c.general for c in job.pictures.captions if c.general})
        with torch.no_grad():
            f_s = job.projector.texts([stepper.config.superclass], {})
            job.prior = f_s, job.projector.texts(general, {})
    drawn, seen = stepper.batch, {2: [], 3: []}

    def batch(pictures: Any, order: Any, number: int, stream: int) -> Any:
        found = drawn(pictures, order, number, stream)
        tensors = {
            name: None if value is None else value.double()
            for name in ("noisy", "wanted", "features", "weight")
            for value in [getattr(found, name)]
        }
        seen[stream].append(replace(found, **tensors))
        return seen[stream][-1]

    stepper.batch = batch  # type: ignore[method-assign]
    return seen


def _compared(
    stepper: Stepper, losses: Any, gradients: list[torch.Tensor], batches: dict[int, list[Any]]
) -> dict[str, float]:
    pairs = list(zip(batches[2], batches[3] or [None] * len(batches[2]), strict=True))
    oracles = [Loss(stepper) for _ in pairs]

    def values() -> dict[str, float]:
        each = [oracle.values(*pair) for oracle, pair in zip(oracles, pairs, strict=True)]
        return {name: sum(one[name] for one in each) / len(each) for name in each[0]}

    found = {}
    for name, expected in values().items():
        found[name] = abs(getattr(losses, name) - expected) / max(abs(expected), 1e-12)
    generator = torch.Generator().manual_seed(1)
    for _ in range(WAYS):
        way = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in stepper.parameters]
        length = float(torch.cat([w.flatten() for w in way]).norm())
        totals = []
        for sign in (1, -1):
            with _moved(stepper.parameters, way, sign * WIDTH / length):
                totals.append(values()["total"])
        slope = (totals[0] - totals[1]) / (2 * WIDTH)
        got = sum(float((g * w).sum()) for g, w in zip(gradients, way, strict=True)) / length
        whole = float(torch.cat([g.flatten() for g in gradients]).norm())
        found["slope"] = max(found.get("slope", 0.0), abs(got - slope) / max(whole, 1e-9))
    return found


@contextmanager
def _moved(
    parameters: list[torch.nn.Parameter], way: list[torch.Tensor], size: float
) -> Iterator[None]:
    kept = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        for parameter, direction in zip(parameters, way, strict=True):
            parameter += size * direction
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, before in zip(parameters, kept, strict=True):
                parameter.copy_(before)


def wrong(differences: dict[str, float]) -> dict[str, float]:
    """Those that are too large."""
    return {
        name: value
        for name, value in differences.items()
        if not value <= (SLOPE if name == "slope" else TOLERANCE)
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.train.fuzz")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    options = parser.parse_args()
    torch.set_num_threads(1)
    started, failed, worst = time.monotonic(), 0, {"losses": 0.0, "slope": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STUDIO_HOME"] = folder
        fuzz = Fuzz(Path(folder))
        for seed in range(options.first, options.first + options.runs):
            given = random_training(seed)
            try:
                found = fuzz.differences(given)
            except Exception as error:
                failed += 1
                print(f"seed {seed} {type(error).__name__}: {error}: {given}", flush=True)
                continue
            for name, value in found.items():
                key = "slope" if name == "slope" else "losses"
                worst[key] = max(worst[key], value)
            if wrong(found):
                failed += 1
                print(f"seed {seed} {wrong(found)}: {given}", flush=True)
    print(
        f"{options.runs} trainings in {time.monotonic() - started:.0f} s, {failed} differ; the largest "
        f"differences are {worst['losses']:.2g} of a loss and {worst['slope']:.2g} of a gradient"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
