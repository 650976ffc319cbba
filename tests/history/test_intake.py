"""Taking in what lies in the outputs folder, while others wait for the process."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from studio.history import History, intake
from studio.preset import Preset, Row
from studio.share import save_image


def test_in_the_background_others_have_a_turn_after_so_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        preset = Preset(rows=(Row(prompt=f"cat {number}"),))
        save_image(Image.new("RGB", (8, 8)), preset, tmp_path / f"outputs/{number}/a.png")
    waited: list[float] = []
    clock = SimpleNamespace(sleep=waited.append, monotonic=time.monotonic)
    monkeypatch.setattr(intake, "time", clock)
    monkeypatch.setattr(intake, "AT_ONCE", 2)
    history = History(tmp_path, tmp_path / "outputs")
    assert intake.take_in(history, breath=0.5) == 7 and waited == [0.5] * 3
    assert history.search().total == 7
    intake._ended.pop(history, None)
    intake.begin(history)
    assert intake.wait(history) and waited[3:] == [intake.BREATH_SECONDS] * 3
    history.close()
