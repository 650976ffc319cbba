"""The page's help says what there is to press."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("gradio")

from studio.ui.help import help_text


def test_the_keys_are_listed_one_a_line() -> None:
    keys = help_text().partition("### Keys")[2]
    listed = re.findall(r"^\| `(.+?)` \| \w", keys, re.MULTILINE)
    named = {key for line in listed for key in line.split(" / ")}
    assert named >= {"Ctrl+Enter", "Esc", "Ctrl+Z", "Ctrl+Shift+Z", "Alt+↑", "Ctrl+↑", "Ctrl+V"}
    assert named >= {"Space", "s", "Delete", "+", "−", "0", "1", "[", "]"}
