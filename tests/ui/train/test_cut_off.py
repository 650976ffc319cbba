"""What is said of a training that went on when the server ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.home import training_folder
from studio.train.begun import CHECKPOINT, SETTINGS
from studio.train.runner import Runner, State
from studio.train.settings import TrainConfig
from studio.train.turns import Turns
from studio.ui import run
from studio.ui.train import tab, view
from studio.ui.train.actions import possible
from studio.ui.train.resumed import cut_off

GIVEN: dict[str, Any] = {"name": "third", "images": "x", "method": "lora"}


def begun(name: str, *files: str) -> None:
    training_folder(name).mkdir(parents=True)
    for file in files:
        (training_folder(name) / file).write_text("{}")


def test_a_training_that_was_cut_off_is_named_with_the_way_on(studio_home: Path) -> None:
    anew = Runner(None, Turns())
    begun("third", SETTINGS, CHECKPOINT)
    begun("early", SETTINGS)
    cut = cut_off(anew, "third")
    assert cut == "third was being trained, and Resume in the Train tab goes on with it"
    assert "early was being trained and has no checkpoint" in cut_off(anew, "early")
    for other in ("", "never", "../third", "x" * 300, "\0"):
        assert cut_off(anew, other) == ""
    anew._state = State(config=TrainConfig(**GIVEN), status="paused")
    assert cut_off(anew, "third") == ""  # this server knows of it
    assert f"started anew: {cut}<" in run.lost(0, cut)
    assert f"is lost · 1 more that waited too · {cut}<" in run.lost(2, cut)


def test_the_bar_is_drawn_whatever_stands_in_the_field_of_the_name(studio_home: Path) -> None:
    nothing = view.progress(State())
    for odd in ("x" * 300, "a word " * 9000, "../third", "a/b", "\0", "\ud800"):
        assert tab.progress(Runner(None, Turns()), odd) == nothing
        lit = possible(Runner(None, Turns()), odd)
        assert [name for name, can in lit.items() if can] == ["start"]


def test_what_was_stopped_and_kept_is_not_called_unended(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew = Runner(None, Turns())
    monkeypatch.setattr(anew, "can_resume", lambda name="": True)
    assert "third was begun and has not ended" in tab.progress(anew, "third")
    monkeypatch.setattr(anew, "made", lambda name="": ("third", "lora"))
    assert "third is in the library, and has steps left: Resume" in tab.progress(anew, "third")


def test_the_line_says_whose_training_it_is_where_the_form_has_another_name() -> None:
    state = State(config=TrainConfig(**GIVEN), status="running", text="Step 2 of 9")
    assert "third" not in view.progress(state, form="third").partition(">")[2]
    assert ">third · Step 2 of 9<" in view.progress(state, form="fourth")


def test_the_bar_names_the_training_for_as_long_as_it_goes_on() -> None:
    config = TrainConfig(**GIVEN)
    assert 'data-training="third"' in view.progress(State(config=config, status="running"))
    assert 'data-training=""' in view.progress(State(config=config, status="paused"))
    assert "data-training" not in view.progress(State())
    done = State(config=config, status="done", text="third is in the library")
    assert "type its name above again" in view.progress(done, form="fourth")
    assert not any("above" in view.progress(done, form=name) for name in ("", "third"))


def test_a_paused_training_shows_how_far_it_is() -> None:
    own = TrainConfig(**GIVEN)
    bar = view.progress(State(config=own, status="paused", step=15, steps=20))
    assert 'data-state="paused"' in bar and "width:75%" in bar  # an idle bar is drawn empty
