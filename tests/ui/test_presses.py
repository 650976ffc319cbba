"""Presses that come before the last one is answered: each counts, or waits for its turn."""

from __future__ import annotations

import pytest

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
}


def test_what_a_press_says_is_dropped_nowhere() -> None:
    config = build().get_config_file()
    drawn = {
        part["id"]: part["props"].get("elem_id")
        for part in config["components"]
        if part["type"] in ("html", "uploadbutton", "file")
    }
    dropped = {
        (drawn[of], event)
        for found in config["dependencies"]
        for of, event in found["targets"]
        if of in drawn and found["trigger_mode"] == "once" and event not in ("change", "changed")
    }
    assert dropped == ALONE
