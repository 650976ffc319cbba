"""What the page shows of a search: its settings in words, and nothing of a file that is none of its own."""

from __future__ import annotations

import json
from pathlib import Path

from studio.ui.tradeoff.shown import MAX_BYTES, shown
from studio.ui.tradeoff.state import State
from studio.ui.tradeoff.tuner import in_words


def test_nothing_is_shown_of_what_is_no_search(studio_home: Path) -> None:
    kept = studio_home / "tune" / "shown.json"
    kept.parent.mkdir(parents=True)
    elsewhere = {"image": {"file": {"path": __file__}}}
    for text in ("", "[]", "{}", '{"points": 3}', '{"points": ["image"]}'):
        kept.write_text(text)
        assert shown(State())["points"] == []
    kept.write_text(json.dumps({"points": [elsewhere]}))
    assert shown(State())["points"] == []


def test_what_is_too_large_for_a_search_is_not_read(studio_home: Path) -> None:
    kept = studio_home / "tune" / "shown.json"
    kept.parent.mkdir(parents=True)
    for length, text in ((10, "x" * 10), (MAX_BYTES, "")):
        kept.write_text(json.dumps({"points": [], "text": "x" * length}))
        assert shown(State())["text"] == text


def test_a_setting_is_called_as_the_points_of_the_plot_are() -> None:
    """The node test of settingText has the same."""
    assert in_words({"omega": 0.4, "rows.1.weight": 3.0}) == "ω 0.4 · row 2 × 3"
