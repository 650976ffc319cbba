"""What Gradio is asked to do with presses that come before the last one is answered."""

from __future__ import annotations

import re
from typing import Any

import pytest

from studio.ui.static_files import STATIC

pytest.importorskip("gradio")

from studio.ui.page import build

# Gradio drops these while the last one is being answered: a press that begins or stops one long work,
# which has a button of its own for as long as it lasts, or a file of it.
ALONE = {
    ("gs-tour", "submit"),
    ("gs-publishing", "submit"),
    ("gs-sweep", "submit"),
    ("gs-sweep", "stop"),
    ("gs-sweep", "download"),
    ("gs-explain", "stop"),
    ("gs-tradeoff", "submit"),
    ("gs-tradeoff", "stop"),
    ("gs-queue", "submit"),  # a look at who is before: that one's answer is as good
    (None, "select"),  # a tab that is turned to draws the list of models
}
# These say nothing but that they are.
WORDLESS = {("mountCards", "submit"), ("mountChanges", "changed"), ("mountField", "change")}


def test_what_a_press_says_is_dropped_nowhere() -> None:
    config: Any = build().get_config_file()
    drawn = {
        part["id"]: part["props"].get("elem_id")
        for part in config["components"]
        if part["type"] not in ("button", "timer")
    }
    dropped = {
        (drawn[of], event)
        for found in config["dependencies"]
        for of, event in found["targets"]
        if of in drawn and found["trigger_mode"] == "once" and event not in ("change", "changed")
    }
    assert dropped == ALONE


def test_a_press_that_waits_is_told_in_its_own_words() -> None:
    """Gradio tells what waits in the first one's words, unless all are one object."""
    config: Any = build().get_config_file()
    mounts = {
        part["id"]: found[1]
        for part in config["components"]
        if (found := re.search(r"studio\.(mount\w+)", part["props"].get("js_on_load") or ""))
    }
    scripts = [path.read_text("utf-8") for path in STATIC.rglob("*.js")]
    waiting = {
        (mounts[of], event)
        for found in config["dependencies"]
        for of, event in found["targets"]
        if of in mounts and found["trigger_mode"] == "always_last"
    }
    assert ("mountUndo", "undo") in waiting
    for mount, event in waiting - WORDLESS:
        (script,) = (text for text in scripts if f"studio.{mount} = function" in text)
        assert f'studio.newest(trigger, "{event}")' in script, (mount, event)
