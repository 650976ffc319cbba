"""A training step beside the bare one: forward, backward and optimiser of the same network."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from studio.bench.counting import evaluations, peak_bytes
from studio.bench.guard import attempt
from studio.bench.rounds import Case, Clock, interleave
from studio.bench.suite import Comparison, Keep, compared
from studio.errors import MissingModel
from studio.home import ASSETS
from studio.library import Library
from studio.train.config import TrainConfig, resolve
from studio.train.machine import accelerator_for, release
from studio.train.prepare import Job, prepare
from studio.train.step import Stepper

PICTURES = ASSETS / "examples" / "training"
CARD_BYTES = 8_000_000_000  # of a GPU on which a LoRA on SD 1.5 is to train, at 512 pixels
# ACCORD's passes: four forward and two backward, where a plain step has one and one.
TABLE: Mapping[str, Comparison] = {
    "lora_step_vs_bare": Comparison("lora", "lora, bare", 1.05, 1.10),
    "concept_step_vs_bare": Comparison("concept", "concept, bare", 1.05, 1.10),
    "accord_step_vs_bare": Comparison("lora, DDLoss", "lora, DDLoss's passes bare", 1.05, 1.10),
    "accord_step_vs_plain": Comparison("lora, DDLoss", "lora", 2.70, 3.00),
}

Step = Callable[[], object]


class Bench:
    """Two trainings of one base, ready to step; both on the same device.

    Args:
        library: holds ``base``.
        base: a pipeline's id.
        device: ``cuda`` or ``cpu``.

    Raises:
        MissingModel: the pictures that ship are not there.
    """

    def __init__(self, library: Library, base: str, device: str) -> None:
        if not PICTURES.is_dir():
            raise MissingModel("the shipped pictures are not there", field="--training")
        given = {
            "base": base,
            "images": str(PICTURES),
            "captions": str(PICTURES / "hero.json"),
            "word": "hero",
            "superclass": "person",
            "accumulation": 1,
        }
        self.lora = resolve({**given, "method": "lora", "name": "lora"}, library)
        concept = {"base": base, "images": str(PICTURES / "faces"), "accumulation": 1}
        concept |= {"method": "concept", "name": "concept", "batch": self.lora.batch, "ema": 0.0}
        self.concept = resolve(concept, library)
        self.accelerator = accelerator_for(self.lora, device)
        self.lora_job = self._prepared(self.lora, library)
        self.concept_job = self._prepared(self.concept, library)

    def _prepared(self, config: TrainConfig, library: Library) -> Job:
        preparing = prepare(config, library, self.accelerator, resume=False)
        while True:
            try:
                next(preparing)
            except StopIteration as end:
                return end.value

    def steps(self) -> dict[str, Step]:
        """Every run of the table by name."""
        ddloss = self.lora.model_copy(update={"ddloss": 0.2})
        return {
            "lora": self._step(self.lora, self.lora_job),
            "lora, bare": self._bare(self.lora, self.lora_job),
            "lora, DDLoss": self._step(ddloss, self.lora_job),
            "lora, DDLoss's passes bare": self._bare(self.lora, self.lora_job, passes=2),
            "concept": self._step(self.concept, self.concept_job),
            "concept, bare": self._bare(self.concept, self.concept_job),
        }

    def _step(self, config: TrainConfig, job: Job) -> Step:
        stepper, numbers = Stepper(config, job, self.accelerator), iter(range(10**9))

        def run() -> None:
            stepper(next(numbers))
            stepper.update()

        return run

    def _bare(self, config: TrainConfig, job: Job, passes: int = 1) -> Step:
        """On one fixed batch: no draws, no text encoder, no clipping, no log.

        With ``passes`` = 2 one more batch of that size runs without a graph, as for DDLoss.
        """
        trainee: Any = job.adaptation.trainee
        stepper = Stepper(config, job, self.accelerator)
        batch = stepper.batch(job.pictures, stepper.order, 0, 0)
        noisy, times = torch.cat([batch.noisy] * passes), torch.cat([batch.times] * passes)
        wanted, text = torch.cat([batch.wanted] * passes), None
        if trainee.encoder is not None:
            captions = [caption.text for caption in batch.captions] * passes
            with torch.no_grad():
                text = trainee.encoder(captions, {})
            text = replace(text, states=text.states.to(noisy))
        predict = partial(trainee.family.predict, trainee.network, noisy, times, text)

        def run() -> None:
            with self.accelerator.autocast():
                if passes == 2:
                    with torch.no_grad():
                        predict()
                loss = (predict().float() - wanted).square().mean()
            loss.backward()
            stepper.optimizer.step()
            stepper.optimizer.zero_grad(set_to_none=True)

        return run

    def resident(self) -> int:
        """Bytes of the LoRA's training between two steps: weights and the optimiser's state."""
        optimiser = 2 * sum(p.nbytes for p in self.lora_job.adaptation.trainee.trained().values())
        return optimiser + sum(p.nbytes for p in self.lora_job.adaptation.trainee.parameters())


@contextmanager
def opened(library: Library, base: str, device: str) -> Iterator[Bench]:
    """Trainings that leave nothing behind."""
    before = os.environ.get("STUDIO_HOME")
    with tempfile.TemporaryDirectory() as home:
        os.environ["STUDIO_HOME"] = home
        bench = None
        try:
            bench = Bench(library, base, device)
            yield bench
        finally:
            os.environ.pop("STUDIO_HOME")
            if before is not None:
                os.environ["STUDIO_HOME"] = before
            if bench is not None:
                release(bench.accelerator)


def measure(
    bench: Bench,
    rounds: int,
    clock: Clock,
    tell: Callable[[int], object] = lambda _: None,
    *,
    limit: float | None = None,
    failed: MutableMapping[str, str] | None = None,
    keep: Keep = lambda _: None,
) -> dict[str, Any]:
    """Time and count everything; the keywords are those of :func:`studio.bench.suite.measure`.

    Returns:
        ``ratios``, ``more``, ``seconds`` (medians of one step), ``evaluations`` (samples that go
        through the network in a step) and ``agreement`` (empty: the steps draw their own noise).
    """
    steps, failed = bench.steps(), {} if failed is None else failed
    counted: dict[str, int] = {}
    for name, step in steps.items():
        job = bench.concept_job if name.startswith("concept") else bench.lora_job
        with evaluations(job.adaptation.trainee.network) as seen:
            attempt(name, failed, step)
        if name not in failed:
            counted[name] = sum(seen)
    found: dict[str, Any] = {
        "ratios": {},
        "more": {},
        "seconds": {},
        "evaluations": counted,
        "agreement": {},
    }
    keep(found)
    cases = {name: Case(step) for name, step in steps.items() if name in counted}
    seconds = interleave(cases, rounds, clock, tell, limit)
    found |= compared(seconds, TABLE)
    keep(found)
    gc.collect()
    device = bench.accelerator.device
    peak = attempt("memory_lora_step", failed, lambda: peak_bytes(steps["lora"], device))
    if peak is not None:
        found["ratios"]["memory_lora_step"] = {
            "bytes": bench.resident() + peak,
            "aim": CARD_BYTES,
        }
    return found
