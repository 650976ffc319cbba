"""The training loop: one generator that yields events, whatever the method.

Every number that a step draws follows from the seed and the step alone, and a checkpoint holds
weights, optimiser and average; so a resumed training goes on to the same numbers, and several
processes, each taking its slice of every batch, compute what one process would.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from studio.errors import NumericalError, StudioError
from studio.files import write_atomically
from studio.home import training_folder
from studio.library import Library
from studio.train import begun, checkpoint, result, samples
from studio.train.budget import Budget
from studio.train.config import TrainConfig
from studio.train.events import Finished, Losses, Note, Samples, Saved, TrainEvent, TrainProgress
from studio.train.machine import accelerator_for, average_of, memory_errors_named, release
from studio.train.prepare import Job, prepare
from studio.train.step import Stepper

# ACCORD's losses: what part of the error's gradient theirs should be, and a good one to aim at.
SHARES = {"dd": (0.02, 2.0), "pd": (1e-3, 2.0)}
AIM = 0.3


def train(
    config: TrainConfig,
    library: Library | None = None,
    *,
    resume: bool = False,
    restart: bool = False,
    finish: bool = False,
    device: str | None = None,
) -> Generator[TrainEvent, None, None]:
    """Train what ``config`` asks for and put it into the library.

    Closing the generator pauses: a checkpoint is written, from which ``resume=True`` goes on.

    Args:
        resume: go on from the checkpoint of this name, whose settings must be the same.
        restart: begin anew although there is one.
        finish: with ``resume``, make the checkpoint's model; the steps that are left stay.
        device: ``cuda``, ``mps`` or ``cpu``; chosen by accelerate when not given.

    Raises:
        StudioError: anything wrong with settings, pictures, captions, models or the disk.
        OutOfMemory: not even one picture at a time fits the device.
        NumericalError: the loss or its gradient became NaN or infinite; the last checkpoint is kept.
    """
    begun.check_name(config.name, library := library or Library(), replace=resume or restart)
    checkpoint.check_begun(config, resume, restart)
    if resume:
        before, config = config, checkpoint.as_begun(config)
        mean = config.ddloss_norm != before.ddloss_norm
        if mean and (config.ddloss or config.measure_every):
            yield Note(
                "begun when DDLoss's norms were means over a latent's elements; it goes on with "
                "these (ddloss_norm: mean)"
            )
    accelerator = accelerator_for(config, device)
    try:
        with memory_errors_named(config):
            budget = Budget(config, accelerator)
            work = _whole(config, library, accelerator, budget, resume, finish)
            yield from budget.timed(work)
    finally:
        release(accelerator)


def _whole(
    config: TrainConfig,
    library: Library,
    accelerator: Any,
    budget: Budget,
    resume: bool,
    finish: bool,
) -> Generator[TrainEvent, None, None]:
    job = yield from prepare(config, library, accelerator, resume)
    if config.base != (base := job.base.entry.id):
        yield Note(
            f"begun on edition {config.edition} of {config.base}; it goes on with {base}, which has "
            "those weights"
        )
        config = config.model_copy(update={"base": base})
    yield from _Loop(config, job, accelerator, budget).run(resume, finish)


class _Loop:
    """Steps, events and checkpoints of one training."""

    def __init__(self, config: TrainConfig, job: Job, accelerator: Any, budget: Budget) -> None:
        self.config = config
        self.job = job
        self.accelerator = accelerator
        self.budget = budget
        self.folder = training_folder(config.name)
        self.stepper = Stepper(config, job, accelerator)
        self.done = self.saved = 0
        self.sides: dict[str, str] = {}  # which side of its range each loss was last
        self.silent = False  # whether the log cannot be written
        self.history: list[dict[str, float | None]] = []
        self.ema = average_of(config, self.stepper.parameters)

    def run(self, resume: bool, finish: bool = False) -> Generator[TrainEvent, None, None]:
        """All steps that are left, or none of them, then the result."""
        config, began = self.config, time.perf_counter()
        if resume:
            yield from self._load()
        self._rewrite_log()
        first = self.budget.share(self.done)
        try:
            while not finish and ((share := self.budget.share(self.done)) < 1 or not self.done):
                pieces, found = self.stepper.pieces, self._step()
                if self.stepper.pieces > pieces:
                    yield Note(
                        f"the memory does not suffice for a batch of {config.batch}; it is computed "
                        f"in {self.stepper.pieces} pieces, to the same result in more time"
                    )
                yield found
                yield from self._log(asdict(found))
                yield from self._weigh(found)
                spent, share = time.perf_counter() - began, self.budget.share(self.done)
                left = spent * max(0.0, 1 - share) / (share - first)
                yield TrainProgress(self.done, self.budget.steps(self.done), spent, left)
                if self.done % config.checkpoint_every == 0 and share < 1:
                    yield self._save_or_say()
                if config.sample_every and self.done % config.sample_every == 0:
                    yield from self._sample()
        except GeneratorExit:
            if self.done > self.saved:
                self._save()
            raise
        if self.done > self.saved:
            yield self._save_or_say()
        yield TrainProgress(self.done, self.done, time.perf_counter() - began, 0.0, "saving")
        path = result.place(config)
        if self.accelerator.is_main_process:
            path = result.publish(config, self._write_model, self.done)
        self.accelerator.wait_for_everyone()
        yield Finished(config.name, path, self.done, time.perf_counter() - began)

    def _step(self) -> Losses:
        with self.budget.step():
            found = self.stepper(self.done)
            if not math.isfinite(found.total):
                raise self._diverged(f"the loss is {found.total} at step {self.done + 1}")
            norm = self.stepper.update(self.budget.rate(self.done))
            if not math.isfinite(norm):
                raise self._diverged(f"the gradient is {norm} at step {self.done + 1}")
            if self.ema is not None:
                self.ema.step(self.stepper.parameters)
        self.done += 1
        self.history.append(asdict(found))
        return found

    def _weigh(self, found: Losses) -> Iterator[Note]:
        """A note when one of ACCORD's losses is too small to do anything, or outweighs the error."""
        weights = {"dd": self.config.ddloss, "pd": self.config.pdloss}
        for name, (low, high) in SHARES.items():
            share = getattr(found, f"{name}_share")
            if not share:
                continue
            side = "below" if share < low else "above" if share > high else ""
            if side and side != self.sides.get(name):
                weight = weights[name]
                yield Note(
                    f"{name.upper()}Loss at weight {weight:g} has {share:.2g} of the error's gradient "
                    f"at step {found.step}, {side} {low:g}-{high:g}; about "
                    f"{AIM * weight / share:.1g} would have {AIM:g}"
                )
            self.sides[name] = side

    def _diverged(self, what: str) -> NumericalError:
        """The error to raise: what is not finite, and what there is to go back to."""
        kept = (
            f"the checkpoint of step {self.saved} is kept"
            if self.saved
            else "there is no checkpoint yet"
        )
        return NumericalError(
            f"{what}, training is stopped; {kept}; lower the rate (now {self.config.rate:g})",
            field="rate",
        )

    def _sample(self) -> Iterator[Samples | Note]:
        if self.accelerator.is_main_process:
            try:
                made = samples.make(
                    self.config, self._write_model, self.done, self.accelerator.device
                )
                samples.keep(made, self.folder / "samples")
                yield made
            except (StudioError, OSError, SafetensorError) as error:
                yield Note(f"no samples at step {self.done}: {error}")
        self.accelerator.wait_for_everyone()

    def _write_model(self, folder: Path) -> None:
        with self._averaged(), torch.no_grad():
            self.job.adaptation.save(folder)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """The average's weights in the network, where an average is kept."""
        if self.ema is None:
            yield
            return
        self.ema.store(self.stepper.parameters)
        self.ema.copy_to(self.stepper.parameters)
        try:
            yield
        finally:
            self.ema.restore(self.stepper.parameters)

    def _save_or_say(self) -> Saved | Note:
        """A checkpoint on the way; a training whose disk is full goes on, and tries again at the next."""
        try:
            return self._save()
        except NumericalError:
            raise
        except StudioError as error:
            return Note(f"no checkpoint of step {self.done}: {error}; the training goes on")

    def _save(self) -> Saved:
        trained = self.job.adaptation.trainee.trained()
        bad = [name for name, p in trained.items() if not bool(torch.isfinite(p).all())]
        if bad:
            raise self._diverged(f"{bad[0]} is not finite after step {self.done}")
        path = self.folder / checkpoint.CHECKPOINT
        if self.accelerator.is_main_process:
            scaler = self.accelerator.scaler
            path = checkpoint.write(
                self.folder,
                {
                    "step": self.done,
                    "seconds": self.budget.seconds,
                    "trained": {name: p.detach().cpu() for name, p in trained.items()},
                    "optimizer": self.stepper.optimizer.state_dict(),
                    "ema": None if self.ema is None else self.ema.state_dict(),
                    "scaler": None if scaler is None else scaler.state_dict(),
                    "history": self.history,
                },
            )
        self.accelerator.wait_for_everyone()
        self.saved = self.done
        return Saved(self.done, path)

    def _load(self) -> Iterator[Note]:
        found = checkpoint.newest(self.folder)
        assert found is not None  # check_begun() has looked
        state = found.state
        if found.note:
            yield Note(found.note)
            if self.accelerator.is_main_process:
                checkpoint.set_damaged_aside(self.folder)
        self.accelerator.wait_for_everyone()
        with torch.no_grad():
            for name, parameter in self.job.adaptation.trainee.trained().items():
                parameter.copy_(state["trained"][name])
        self.stepper.optimizer.load_state_dict(state["optimizer"])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
            self.ema.to(self.accelerator.device)
        if self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.history = state["history"]
        self.done = self.saved = int(state["step"])
        self.budget.seconds += float(state.get("seconds", 0.0))
        yield Note(f"resumed after step {self.done}")

    def _rewrite_log(self) -> None:
        if self.accelerator.is_main_process:
            lines = "".join(json.dumps(line) + "\n" for line in self.history)
            write_atomically(self.folder / checkpoint.LOSSES, lines.encode())

    def _log(self, line: dict[str, Any]) -> Iterator[Note]:
        """A line of the log; one that cannot be written is in the checkpoints all the same."""
        if not self.accelerator.is_main_process:
            return
        path = self.folder / checkpoint.LOSSES
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            if not self.silent:
                reason = "the disk is full" if checkpoint.is_full(error) else error.strerror
                yield Note(f"{path} cannot be written ({reason}); the training goes on")
            self.silent = True
