"""The equation of a plan whose prompts are made of quotes and backslashes, drawn in linear time."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("gradio")

from studio.ui.equation import _named


@pytest.mark.parametrize("piece", ['\\"', '"', '"\\"', "1", "- ", "+1.", "·"])
def test_it_takes_time_in_proportion(piece: str) -> None:
    begun = time.process_time()
    _named(piece * 40_000, {"a cat": "row 1"})
    assert time.process_time() - begun < 3
