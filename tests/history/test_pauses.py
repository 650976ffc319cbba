"""Taking in pictures stops for others, and loses nothing of what they do in its pauses."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from studio.history import History, intake
from studio.history.intake import take_in
from studio.preset import Preset, Row, Sampler
from studio.share import save_image


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    for seed in range(5):
        made = Preset(rows=(Row(prompt="a cat"),), sampler=Sampler(seed=seed))
        save_image(Image.new("RGB", (8, 8)), made, tmp_path / "outputs")
    return tmp_path / "outputs"


def test_it_pauses_before_the_first_file_and_after_so_many(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 2)
    pauses: list[int] = []
    take_in(history, pause=lambda: pauses.append(1))
    assert len(pauses) == 3


def test_a_picture_that_leaves_the_bin_in_a_pause_stays(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 1)
    (one, *_) = history.search().records
    history.delete([one.id])
    pauses: list[int] = []

    def pause() -> None:
        pauses.append(1)
        if len(pauses) == 5:  # before the last of four files that are left
            history.restore([one.id])

    take_in(history, pause=pause)
    assert one.id in {record.id for record in history.search().records}
    assert history.search().total == 5
