"""One training in the background: pause, resume, stop, and turns with generation."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.home import models_folder, training_folder
from studio.train.checkpoint import check_begun
from studio.train.runner import PAUSING, STOPPING, Runner
from studio.train.turns import Turns
from tests.support import train_tiny
from tests.support.fake_trainer import FakeTrainer, config
from tests.support.waiting import until


def test_pause_resume_stop() -> None:
    trainer = FakeTrainer(pause=0.002)
    runner = Runner(trainer, Turns())
    runner.start(config(steps=100_000))
    with pytest.raises(StudioError, match="a training is running"):
        runner.start(config())
    until(lambda: runner.state.step >= 2)
    runner.pause()
    runner.wait(60)
    assert runner.state.status == "paused" and trainer.closed == 1
    paused = runner.state.step
    assert paused == trainer.step
    assert runner.state.text == f"Paused after step {paused} of 100000" and not runner.state.resumed
    runner.resume()
    until(lambda: runner.state.step > paused)
    assert trainer.asked[-1][1] is True and runner.state.resumed
    runner.stop()
    runner.wait(60)
    assert runner.state.status == "done" and runner.state.model == "mine"
    assert trainer.asked[-1][0].steps == 100_000  # what is left can be resumed
    assert (
        runner.state.text
        == f"Stopped after step {runner.state.step} of 100000: mine is in the library"
    )
    assert runner.can_resume()  # there are steps left
    with pytest.raises(StudioError, match="no training is running"):
        runner.pause()
    with pytest.raises(StudioError, match="no training of 'other'"):
        runner.resume("other")


@pytest.mark.parametrize("press", ["pause", "stop"])
def test_a_press_is_said_while_a_long_step_goes_on(press: str) -> None:
    runner = Runner(FakeTrainer(pause=1.0), Turns())
    runner.start(config(steps=100))
    until(lambda: runner.state.status == "running")
    getattr(runner, press)()
    assert runner.state.text == {"pause": PAUSING, "stop": STOPPING}[press]
    runner.wait(60)


def test_generation_goes_first_and_training_goes_on_after_it() -> None:
    turns, trainer = Turns(), FakeTrainer(pause=0.001)
    runner = Runner(trainer, turns)
    runner.start(config(steps=100_000))
    until(lambda: runner.state.step > 0)
    with turns.generation():
        before = trainer.step
        until(lambda: runner.state.text == "Waiting for a generation")
        assert trainer.step == before
    until(lambda: trainer.step > before)
    runner.pause()
    runner.wait(60)


def test_generations_do_not_wait_for_each_other() -> None:
    turns, inside = Turns(), threading.Barrier(2, timeout=60)

    def generate() -> None:
        with turns.generation():
            inside.wait()  # both are inside at once, or this times out

    thread = threading.Thread(target=generate)
    thread.start()
    generate()
    thread.join()


@pytest.mark.parametrize("paused", [False, True])
def test_what_was_stopped_goes_on_to_its_end(
    studio_home: Path, tmp_path: Path, paused: bool
) -> None:
    """Also once the studio is started anew, and where it was paused before."""
    train_tiny.base(studio_home)
    runner = Runner(None, Turns())
    runner.start(train_tiny.config(train_tiny.pictures(tmp_path / "p"), steps=1000))
    until(lambda: runner.state.step >= 1)
    if paused:
        runner.pause()
        runner.wait(60)
    runner.stop()
    runner.wait(60)
    state = runner.state
    assert state.status == "done" and 0 < state.step < 1000
    assert state.text == f"Stopped after step {state.step} of 1000: mine is in the library"
    assert not [note for note in state.notes if "resumed" in note]
    anew = Runner(None, Turns())
    assert runner.can_resume("mine") and anew.can_resume("mine")
    anew.resume("mine")
    until(lambda: anew.state.step > state.step)
    anew.pause()
    anew.wait(60)
    assert anew.state.status == "paused" and anew.state.steps == 1000
    steps = [losses.step for losses in anew.state.losses]  # the curve begins where it began
    assert steps == list(range(1, anew.state.step + 1))


def test_a_program_that_ends_pauses_what_runs() -> None:
    trainer = FakeTrainer(pause=0.002)
    runner = Runner(trainer, Turns())
    runner.close()  # nothing does
    assert runner.state.status == "idle"
    runner.start(config(steps=100_000))
    until(lambda: runner.state.step >= 2)
    runner.close(60)
    assert runner.state.status == "paused" and trainer.closed == 1


def test_real_training_through_the_runner(studio_home: Path, tmp_path: Path) -> None:
    train_tiny.base(studio_home)
    runner = Runner(None, Turns())
    runner.start(train_tiny.config(train_tiny.pictures(tmp_path / "p"), steps=2))
    runner.wait(60)
    assert (runner.state.status, runner.state.model) == ("done", "mine"), runner.state.text
    later = Runner(None, Turns())  # after the studio was started anew
    later.resume("mine")
    later.wait(60)
    assert (later.state.status, later.state.step) == ("done", 2), later.state.text


def test_what_has_finished_is_not_gone_on_with(studio_home: Path, tmp_path: Path) -> None:
    train_tiny.base(studio_home)
    runner = Runner(None, Turns())
    runner.start(train_tiny.config(train_tiny.pictures(tmp_path / "p"), steps=2))
    runner.wait(60)
    assert runner.state.status == "done", runner.state.text
    anew = Runner(None, Turns())  # after the studio was started anew
    for one in (runner, anew):
        assert one.begun("mine") and not one.can_resume("mine")
    settings = train_tiny.config(tmp_path / "p", steps=2)
    with pytest.raises(StudioError, match="has finished; restart it, or choose another name"):
        check_begun(settings, resume=False, restart=False)
    checkpoint = training_folder("mine") / "checkpoint.pt"
    os.utime(checkpoint, ns=(time.time_ns() + 10**10,) * 2)  # as one of a training begun anew
    assert runner.can_resume("mine") and anew.can_resume("mine")
    os.utime(checkpoint, ns=(0, 0))
    shutil.rmtree(models_folder() / "mine")  # nobody has the model any more
    assert runner.can_resume("mine") and anew.can_resume("mine")
