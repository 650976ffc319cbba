"""Presses that come while a training loads, saves or is being stopped already."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.home import training_folder
from studio.train import runner as of_runner
from studio.train.begun import CHECKPOINT
from studio.train.config import TrainConfig
from studio.train.events import Finished, Losses, TrainEvent, TrainProgress
from studio.train.runner import PAUSING, Runner, State
from studio.train.turns import Turns
from tests.support.fake_trainer import config
from tests.support.waiting import until

STEPS = 4


class Scripted:
    """Loads and saves for as long as it is told to: a stage is named in ``slow``."""

    def __init__(self, slow: str, fails_after: int = 0) -> None:
        self.slow, self.fails_after = slow, fails_after
        self.go = threading.Event()
        self.asked: list[tuple[bool, bool]] = []  # resume, finish

    def __call__(
        self, config: TrainConfig, resume: bool, restart: bool, finish: bool
    ) -> Generator[TrainEvent, None, None]:
        self.asked.append((resume, finish))
        step = STEPS - 1 if resume else 0
        yield from self._stage("loading again" if resume else "loading", 0)
        while step < STEPS and not finish:
            step += 1
            yield Losses(step, 1.0, 1.0)
            if step == self.fails_after:
                raise MemoryError("no room")
            if self.slow == "training" and step == STEPS - 1 and not resume:
                yield from self._stage("training", step)
        yield from self._stage("saving", step)
        yield Finished(config.name, Path("x"), step, 1.0)

    def _stage(self, name: str, step: int) -> Generator[TrainEvent, None, None]:
        yield TrainProgress(step, STEPS, 0.0, 0.0, name)
        while name == self.slow and not self.go.is_set():
            time.sleep(0.005)
            yield TrainProgress(step, STEPS, 0.0, 0.0, name)


def started(slow: str, **options: Any) -> tuple[Runner, Scripted]:
    trainer = Scripted(slow, **options)
    runner = Runner(trainer, Turns())
    runner.start(config(steps=STEPS))
    return runner, trainer


def ended(runner: Runner, trainer: Scripted) -> None:
    trainer.go.set()
    runner.wait(60)


def begun() -> None:
    folder = training_folder("mine")
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).touch()


def test_a_stop_while_it_saves_makes_one_model() -> None:
    runner, trainer = started("saving")
    until(lambda: runner.state.text == "Saving …")
    runner.stop()
    ended(runner, trainer)
    assert runner.state.status == "done" and runner.state.step == STEPS
    assert sum(not finish for _, finish in trainer.asked) == 1


def test_a_second_stop_while_the_model_is_made_changes_nothing(studio_home: Path) -> None:
    runner, trainer = started("training")
    until(lambda: runner.state.step == STEPS - 1)
    trainer.slow = "loading again"
    runner.stop()
    until(lambda: len(trainer.asked) == 2)
    runner.stop()
    ended(runner, trainer)
    assert trainer.asked == [(False, False), (True, True)]
    assert runner.state.status == "done" and runner.state.model == "mine"


@pytest.mark.parametrize("again", [False, True], ids=["same start", "new start"])
def test_a_pause_while_it_loads_again_can_be_resumed(studio_home: Path, again: bool) -> None:
    begun()
    runner, trainer = started("training")
    until(lambda: runner.state.step == STEPS - 1)
    runner.pause()
    runner.wait(60)
    if again:
        runner = Runner(trainer, Turns())
    trainer.slow = "loading again"
    runner.start(config(steps=STEPS), resume=True)
    until(lambda: runner.state.text == "Loading again …")
    runner.pause()
    runner.wait(60)
    assert runner.state.status == "paused" and runner.can_resume()
    trainer.go.set()
    runner.resume()
    runner.wait(60)
    assert trainer.asked[-1] == (True, False)
    assert runner.state.status == "done" and runner.state.step == STEPS


def test_a_stop_while_it_loads_again_makes_the_checkpoints_model(studio_home: Path) -> None:
    begun()
    trainer = Scripted("loading again")
    runner = Runner(trainer, Turns())
    runner.start(config(steps=STEPS), resume=True)
    until(lambda: runner.state.text == "Loading again …")
    runner.stop()
    until(lambda: len(trainer.asked) == 2)
    ended(runner, trainer)
    assert trainer.asked == [(True, False), (True, True)]
    assert runner.state.status == "done" and runner.state.model == "mine"


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)  # it is raised on
def test_what_failed_without_a_checkpoint_is_not_resumed(studio_home: Path) -> None:
    runner, _ = started("", fails_after=2)
    until(lambda: runner.state.status == "failed")
    runner.wait(60)
    assert not runner.can_resume()
    begun()
    assert runner.can_resume()


def test_an_end_in_the_moment_of_a_press_stays_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's thread writes what it has read, while the training's says that it is done."""
    runner, trainer = started("saving")
    until(lambda: runner.state.text == "Saving …")

    def slow(state: State, **changes: Any) -> State:
        if changes.get("text") == PAUSING and threading.current_thread().name != "training":
            trainer.go.set()
            runner.wait(0.5)  # or not, where this press has to end first
        return replace(state, **changes)

    monkeypatch.setattr(of_runner, "replace", slow)
    runner.pause()
    ended(runner, trainer)
    assert runner.state.status != "running"
