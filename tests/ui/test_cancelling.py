"""What Cancel ends where no run of the page goes on, and what it says where it ends nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.preset import SecondPass, validate
from studio.preset.sweep import parse_axis
from studio.share import read_image
from studio.ui import cancelling, run
from studio.ui.cancelling import cancel
from studio.ui.runs import Runs
from studio.ui.session import ENDING
from studio.ui.space import Limits
from studio.ui.sweep.sweeper import Sweeps
from studio.ui.tradeoff.tuner import Tuner
from tests.support.held_engine import EVENTS, HeldEngine
from tests.support.waiting import until

PRESET = validate({"rows": [{"prompt": "a cat"}]})


def test_a_sweep_is_ended_once_no_run_is_before_it(studio_home: Path) -> None:
    engine = HeldEngine()
    runs = Runs(engine, Limits())
    sweeps = Sweeps(runs)
    sweeps.start("a", PRESET, [parse_axis("omega=0,1", "")])
    until(lambda: len(engine.started) == 1)
    own = runs.submit(runs.session("a"), PRESET)
    assert cancel(runs, "a", sweeps, None) == "" and own.state == "cancelled"
    assert sweeps.of("a").running()
    assert cancel(runs, "b", sweeps, None) == cancelling.NOTHING  # another page's goes on
    assert sweeps.of("a").running()
    assert cancel(runs, "a", sweeps, None) == ""
    assert sweeps.of("a").state.text == ENDING  # a step may take a minute
    engine.release(2)
    until(lambda: sweeps.of("a").state.state == "stopped")
    assert cancel(runs, "a", sweeps, None) == cancelling.NOTHING
    assert cancel(runs, "a", sweeps, None, training=True) == cancelling.TRAINING


def test_a_search_is_ended_by_the_page_that_began_it(studio_home: Path) -> None:
    runs = Runs(HeldEngine(), Limits())
    tuner = Tuner(runs)
    tuner.state.state, tuner.owner = "running", "a"
    assert cancel(runs, "b", Sweeps(runs), tuner) == cancelling.ELSEWHERE
    assert not tuner._stop.is_set()
    assert cancel(runs, "a", Sweeps(runs), tuner) == "" and tuner._stop.is_set()
    assert tuner.state.text == ENDING


def test_what_the_first_of_two_passes_made_is_kept(studio_home: Path) -> None:
    """Of the second what was forming can be kept beside it."""
    engine = HeldEngine(further=True)
    runs = Runs(engine, Limits())
    session = runs.session("a")
    twice = PRESET.model_copy(
        update={
            "second_pass": SecondPass(scale=2),
            "sampler": PRESET.sampler.model_copy(update={"count": 3, "seed": 5}),
        }
    )
    one = runs.submit(session, twice)
    engine.release(2 * EVENTS + EVENTS)  # one picture, and the first pass of the next
    until(lambda: len(one.moments) == 1 and one.first is not None)
    engine.release()
    until(lambda: bool(one.previews) and one.previews[0].size == (64, 64))
    assert cancel(runs, "a", None, None) == ""
    engine.release(9)
    until(lambda: one.state == "cancelled")
    whole, first = (read_image(Path(moment.path))[0] for moment in one.moments)
    assert whole.second_pass.on and not first.second_pass.on
    assert (whole.sampler.seed, first.sampler.seed) == (5, 6)
    assert "Cancelled · 1 of 3 finished · the first pass is kept" in run.bar_of(runs, one)
    shown = run.stage_of(one)["images"]
    assert [image.get("unfinished") for image in shown] == [None, None, 0]
    kept = run.keep_unfinished(runs, session, 0)
    assert read_image(Path(kept.path))[0].sampler.seed == 6  # of the same picture


def test_a_cell_of_a_sweep_is_no_first_pass(studio_home: Path, tmp_path: Path) -> None:
    engine = HeldEngine(further=True)
    runs = Runs(engine, Limits())
    twice = PRESET.model_copy(update={"second_pass": SecondPass(scale=2)})
    one = runs.submit(runs.session("a"), twice, folder=tmp_path / "cells")
    engine.release(EVENTS + 1)
    until(lambda: one.first is not None)
    runs.cancel(one)
    engine.release(9)
    until(lambda: one.state == "cancelled")
    assert not one.moments and not (tmp_path / "cells").exists()
    assert one.left() == "nothing was finished"


def test_a_press_of_cancel_is_said_while_a_long_step_goes_on(studio_home: Path) -> None:
    engine = HeldEngine()
    runs = Runs(engine, Limits())
    one = runs.submit(runs.session("a"), validate({"rows": [{"prompt": "a"}]}))
    until(lambda: one.state == "running")
    assert "Loading models" in run.bar_of(runs, one)
    runs.cancel(one)
    assert one.state == "running" and ENDING in run.bar_of(runs, one)
    engine.release()
    until(lambda: one.state == "cancelled")
    assert ENDING not in run.bar_of(runs, one)


def test_a_picture_that_comes_after_the_press_is_kept(studio_home: Path) -> None:
    engine = HeldEngine()
    runs = Runs(engine, Limits())
    one = runs.submit(runs.session("a"), PRESET)
    engine.release()
    until(lambda: bool(one.previews))
    runs.cancel(one)
    engine.release()
    until(lambda: not one.active())
    assert len(one.moments) == 1 and Path(one.moments[0].path).is_file()


def test_a_picture_that_comes_while_the_page_ends_is_kept(studio_home: Path) -> None:
    engine = HeldEngine()
    runs = Runs(engine, Limits())
    one = runs.submit(runs.session("a"), PRESET)
    engine.release()
    until(lambda: bool(one.previews))
    engine.release()
    runs.close()
    assert len(one.moments) == 1 and Path(one.moments[0].path).is_file()


def test_a_picture_of_a_sweep_that_comes_after_stop_is_one_of_it(studio_home: Path) -> None:
    engine = HeldEngine()
    sweeps = Sweeps(Runs(engine, Limits()))
    sweeps.start("a", PRESET, [parse_axis("omega=0,1", "")])
    sweeper = sweeps.of("a")
    engine.release()
    until(lambda: any(run.previews for run in sweeper.session.active()))
    sweeper.stop()
    engine.release(9)
    until(lambda: sweeper.state.state == "stopped")
    assert len(sweeper.state.made) == 1 and len(engine.started) == 1
    ((shot, _),) = sweeper.state.made
    names = {file.name for file in sweeper.folder.glob("*.png")}
    assert names == {shot.name, *sweeper.state.grids}  # none is left under a name of its own


@pytest.mark.parametrize("kind", ["sweep", "search"])
def test_an_end_in_the_moment_of_a_press_is_no_longer_ending(
    studio_home: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes on ends between the look at its state and the word of it."""
    runs = Runs(HeldEngine(), Limits())
    one = Tuner(runs) if kind == "search" else Sweeps(runs).of("a")
    one.state.state = "running"

    def running() -> bool:
        ends = threading.Thread(target=lambda: one._tell(state="stopped", text="Stopped."))
        ends.start()
        ends.join(0.3)  # or not: it has to wait
        return True

    monkeypatch.setattr(one, "running", running)
    one.stop()
    until(lambda: one.state.text == "Stopped.")
