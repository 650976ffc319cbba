"""What goes on for ever, and is pressed again."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.preset import Preset, validate
from studio.ui import queue
from studio.ui.runs import Runs
from studio.ui.space import Limits
from tests.support.held_engine import HeldEngine
from tests.support.waiting import until


def preset(name: str) -> Preset:
    return validate({"name": name, "rows": [{"prompt": "a cat"}]})


def test_one_that_is_pressed_later_takes_its_place(studio_home: Path) -> None:
    engine = HeldEngine()
    runs = Runs(engine, Limits())
    mine, other = runs.session("a"), runs.session("b")
    first = runs.submit(mine, preset("first"), forever=True)
    until(lambda: first.state == "running")
    theirs = runs.submit(other, preset("theirs"), forever=True)
    runs.submit(mine, preset("second"), forever=True)
    items = queue.shown(runs, mine)["items"]
    assert [(item["title"], item["forever"]) for item in items] == [("second", True)]
    assert theirs.forever  # another page's
    runs.cancel(theirs)
    engine.release(6)
    until(lambda: len(engine.started) >= 3)
    assert engine.started[:3] == ["first", "second", "second"]
    for one in mine.active():
        runs.cancel(one)
    engine.release(50)
    until(lambda: not mine.active())
