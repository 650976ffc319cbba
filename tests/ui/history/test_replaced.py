"""What is said of a picture whose models are other ones by now, where it is looked at and used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio")

import torch
from PIL import Image
from safetensors.torch import save_file

from studio.history import History
from studio.history.intake import take_in
from studio.preset import validate
from studio.share import save_image
from studio.ui.history import view
from studio.ui.library import models
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.wiring.presets import replaced_of
from tests.support.fake_engine import FakeEngine

SAID = ["ink is newer here than this picture, which may not come out the same"]


@pytest.fixture
def own(studio_home: Path) -> Iterator[History]:
    found = History(studio_home, studio_home / "outputs")
    yield found
    found.close()
    models.rescan()


def test_details_and_use_name_a_model_that_is_another_one(own: History, studio_home: Path) -> None:
    ink = studio_home / "models" / "ink.safetensors"
    ink.parent.mkdir(parents=True)
    save_file({"lora_unet_x.lora_down.weight": torch.ones(8, 4), "alpha": torch.ones(1)}, ink)
    models.rescan()
    preset = validate({"rows": [{"prompt": "a cat", "model": {"lora": "ink", "strength": 1.0}}]})
    save_image(Image.new("RGB", (8, 8)), preset, own.outputs)
    take_in(own)
    [record] = own.search(None, 1, 0).records
    runs = Runs(FakeEngine(), Limits())
    owner = runs.session("visitor")
    runs.history = lambda _: own  # type: ignore[method-assign]

    def said() -> list[list[str]]:
        opened = view.answer(own, {"do": "open", "id": record.id})["opened"]
        return [opened["replaced"], replaced_of(runs, owner, record.id)]

    os.utime(ink, (record.made - 9, record.made - 9))
    assert said() == [[], []]
    os.utime(ink, (record.made + 9, record.made + 9))
    assert said() == [SAID, SAID]
    assert replaced_of(runs, owner, "") == []  # of no picture of the history
