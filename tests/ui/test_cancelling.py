"""What Cancel ends where no run of the page goes on, and what it says where it ends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.preset import validate
from studio.preset.sweep import parse_axis
from studio.ui import cancelling
from studio.ui.cancelling import cancel
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.sweep.sweeper import Sweeps
from studio.ui.tradeoff.tuner import Tuner
from tests.support.held_engine import HeldEngine
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
