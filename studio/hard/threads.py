"""Two tabs, a training, rescans of the library and a model that is deleted, interleaved at random.

Every picture must be the one that the same preset makes alone, and everybody must come to an end.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from studio.engine import Engine
from studio.errors import StudioError
from studio.events import Done
from studio.hard.attack import ATTACKS, Attack, Draw, Fell
from studio.hard.tiny import EDGE, models
from studio.hard.tiny_training import config
from studio.home import models_folder
from studio.library import Library
from studio.preset import Preset, validate
from studio.train import train
from studio.train.events import Finished, TrainEvent, TrainProgress
from studio.train.runner import Runner
from studio.train.turns import Turns

PATIENCE = 120.0  # seconds after which nobody comes to an end any more
_STACKS: tuple[list[dict[str, Any]], ...] = (
    [{"prompt": "a", "weight": 3.0}],
    [{"prompt": "a"}, {"prompt": "b", "weight": 2.0, "model": "tuned"}],
    [{"prompt": "c", "weight": 2.0, "model": {"lora": "tiny/lora", "strength": 0.7}}],
    [{"prompt": "c", "weight": 2.0, "model": {"lora": "extra"}}, {"prompt": "d", "weight": -1.0}],
)


def _preset(number: int, lora: str = "extra") -> Preset:
    rows = [dict(row) for row in _STACKS[number]]
    for row in rows:
        if row.get("model") == {"lora": "extra"}:
            row["model"] = {"lora": lora}
    sampler = {"steps": 2, "width": EDGE, "height": EDGE, "seed": number}
    return validate({"base": "tiny", "rows": rows, "omega": 0.3, "sampler": sampler})


def _drawn(engine: Engine, preset: Preset, between: Callable[[], None]) -> np.ndarray:
    events = engine.generate(preset)
    made: list[np.ndarray] = []
    for event in events:
        between()
        if isinstance(event, Done):
            made.append(np.asarray(event.image).astype(int))
    return made[0]


@lru_cache(maxsize=1)
def _alone() -> tuple[Engine, list[np.ndarray]]:
    """An engine, and the picture of each stack of rows, one after another."""
    engine = Engine(device="cpu", library=Library((models(),)))
    numbers = range(len(_STACKS))
    return engine, [_drawn(engine, _preset(n, "tiny/lora"), lambda: None) for n in numbers]


@dataclass
class _Crowd:
    """Threads that work at random moments, and what went wrong in them."""

    seed: float
    faults: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def join(self, work: Callable[[Callable[[], None]], None]) -> None:
        """Let ``work(between)`` run beside the others; ``between`` waits for a random moment."""
        random = Random(f"{self.seed}:{len(self.threads)}")

        def between() -> None:
            if random.random() < 0.5:
                time.sleep(random.choice((0.0, 0.0005, 0.002)))

        def run() -> None:
            try:
                between()
                work(between)
            except Exception as error:
                self.faults.append(f"{type(error).__name__}: {error}")

        self.threads.append(threading.Thread(target=run, daemon=True))

    def all_end(self) -> None:
        """Start them together and wait for all.

        Raises:
            Fell: one did not end, or something went wrong in one.
        """
        for thread in self.threads:
            thread.start()
        end = time.monotonic() + PATIENCE
        for thread in self.threads:
            thread.join(max(0.0, end - time.monotonic()))
        if any(thread.is_alive() for thread in self.threads):
            raise Fell("not everybody comes to an end")
        if self.faults:
            raise Fell("; ".join(self.faults))


def interleaved(draw: Draw, folder: Path) -> None:
    """One interleaving."""
    engine, alone = _alone()
    extra = models_folder() / "extra"
    shutil.copytree(models() / "tiny/lora", extra)
    roots = (models(), models_folder())
    engine.look_in(Library(roots))
    turns, crowd = Turns(), _Crowd(draw.random())
    for _ in range(2):
        crowd.join(_tab(engine, turns, [draw.randrange(4) for _ in range(2)], alone))
    runner = _training(draw, folder, turns)
    crowd.join(lambda between: runner.wait(PATIENCE))
    crowd.join(_rescans(engine, roots))
    if draw.random() < 0.5:
        crowd.join(_deletes(extra))
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        crowd.all_end()
    finally:
        sys.setswitchinterval(before)
    if runner.state.status != "done":
        raise Fell(f"the training: {runner.state.status}, {runner.state.text}")
    if any(part["pinned"] for part in engine.describe()):
        raise Fell("something is held for ever")


def _tab(engine: Engine, turns: Turns, numbers: list[int], alone: list[np.ndarray]) -> Any:
    def work(between: Callable[[], None]) -> None:
        for number in numbers:
            try:
                with turns.generation():
                    made = _drawn(engine, _preset(number), between)
            except StudioError:
                if number != 3:  # whose model may be gone
                    raise
                continue
            if int(np.abs(made - alone[number]).max()) > 1:
                raise Fell(f"picture {number} is another")

    return work


def _rescans(engine: Engine, roots: tuple[Path, ...]) -> Any:
    def work(between: Callable[[], None]) -> None:
        for _ in range(4):
            between()
            found = Library(roots)
            if "tiny" not in [entry.id for entry in found.entries()]:
                raise Fell("the base is gone")
            engine.look_in(found)

    return work


def _deletes(folder: Path) -> Any:
    def work(between: Callable[[], None]) -> None:
        for _ in range(3):
            between()
        shutil.rmtree(folder)

    return work


def _training(draw: Draw, folder: Path, turns: Turns) -> Runner:
    """A training that runs, in every fifth case a real one; the others only take their turns."""
    real = draw.number % 5 == 0

    def trainer(given: Any, **options: Any) -> Generator[TrainEvent, None, None]:
        if real:
            yield from train(given, Library((models(),)), device="cpu", **options)
            return
        for step in range(6):
            time.sleep(0.001)
            yield TrainProgress(step + 1, 6, 0.0, 0.0)
        yield Finished("beside", folder, 6, 0.0)

    runner = Runner(trainer, turns)
    runner.start(config(folder, name="beside"))
    return runner


ATTACKS.register(
    "threads",
    Attack(
        "two tabs, a training, rescans and a deleted model, interleaved",
        interleaved,
        200,
        60.0,
        3,
        growth=2**30,
        hangs=300,
    ),
)
