"""A prompt that is chosen anew: each image has its own text, and its preset makes it again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio import Engine
from studio.events import Done
from studio.library import Library
from studio.preset import Preset, validate
from tests.support import tiny


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("models")
    tiny.pipeline(folder / "base")
    return Engine(device="cpu", library=Library((folder,)))


def made(engine: Engine, preset: Preset) -> list[Done]:
    return [event for event in engine.generate(preset) if isinstance(event, Done)]


def test_each_image_has_a_text_of_its_own(engine: Engine, studio_home: Path) -> None:
    rows = [{"prompt": "{red|green|blue} [cat|dog] {x|y|z}", "weight": 3.0}]
    sampler = {"steps": 2, "seed": 5, "count": 4, "scheduler": "euler"}
    preset = validate({"base": "base", "rows": rows, "sampler": sampler})
    found = made(engine, preset)
    assert [(one.index, one.seed) for one in found] == [(0, 5), (1, 6), (2, 7), (3, 8)]
    texts = [one.preset.rows[0].prompt for one in found]
    assert len(set(texts)) > 1 and not any("{" in text for text in texts)
    assert all("[cat|dog]" in text for text in texts)
    (again,) = made(engine, found[2].preset)
    assert np.array_equal(np.asarray(again.image), np.asarray(found[2].image))
