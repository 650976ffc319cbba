"""Trainings that are killed, and checkpoints that are damaged: they go on to the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.child import killed_within
from studio.hard.tiny import models
from studio.hard.tiny_training import apart, config, trained
from studio.home import training_folder
from studio.library import Library
from studio.train import checkpoint, train
from studio.train.events import Note, Saved

STEPS = 12
_whole: list[dict[str, torch.Tensor]] = []


def killed(draw: Draw, folder: Path) -> None:
    """A training with a checkpoint at each step is killed at a random moment, and resumed."""
    given = config(folder, steps=STEPS)
    if not _whole:
        _whole.append(trained(given.model_copy(update={"name": "whole"}))[0])
    events = train(given, Library((models(),)), device="cpu")

    def step(number: int) -> int:
        for event in events:
            if isinstance(event, Saved):
                return event.step
        return STEPS + 1

    saved = killed_within(draw.uniform(0.1, 1.2), step, most=STEPS + 1)
    finished = int(saved[-1]) if saved else 0
    begun = checkpoint.exists(training_folder("mine"))
    found = checkpoint.newest(training_folder("mine")) if begun else None
    if finished and (found is None or found.note or found.state["step"] < min(finished, STEPS)):
        raise Fell(f"the checkpoint of step {finished} is lost")
    weights, _ = trained(given, resume=begun, restart=not begun)
    if apart(weights, _whole[0]):
        raise Fell("the resumed training ends with other weights")


def damaged(draw: Draw, folder: Path) -> None:
    """The newest checkpoint is cut or one of its bits is another; in some cases training goes on."""
    goes_on = draw.number % 10 == 0
    given = config(folder, steps=3)
    expected = trained(given)[0] if goes_on else {}
    if not goes_on:
        for number in (1, 2, 3):
            state = {"step": number, "trained": {"w": torch.full((3000,), float(number))}}
            checkpoint.write(training_folder("mine"), state)
    path = training_folder("mine") / checkpoint.CHECKPOINT
    data = bytearray(path.read_bytes())
    if draw.random() < 0.5:
        del data[draw.randrange(len(data)) :]
    else:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)
    found = checkpoint.newest(training_folder("mine"))
    if found is None:
        raise Fell("no checkpoint is found")
    _check_state(found.state, bool(found.note), goes_on)
    if goes_on:
        weights, events = trained(given, resume=True)
        if apart(weights, expected):
            raise Fell("the training ends with other weights")
        if found.note and found.note not in [e.text for e in events if isinstance(e, Note)]:
            raise Fell("it goes on without a note")


def _check_state(state: dict[str, Any], note: bool, whole: bool) -> None:
    """The one before, with a note; the newest where the bit is one that nothing depends on."""
    if state["step"] != (2 if note else 3):
        raise Fell(f"step {state['step']} is taken, {'with' if note else 'without'} a note")
    if not whole and not bool((state["trained"]["w"] == state["step"]).all()):
        raise Fell("a damaged number is taken")


ATTACKS.register(
    "killed: training",
    Attack(
        "kill -9 of a training, which is resumed", killed, 100, 30.0, 1, growth=2**30, hangs=300
    ),
)
ATTACKS.register(
    "damaged checkpoints",
    Attack(
        "the newest checkpoint cut, or a bit of it", damaged, 50, 30.0, 2, growth=2**30, hangs=300
    ),
)
