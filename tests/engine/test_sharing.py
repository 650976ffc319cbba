"""What the cells of a sweep share: networks, texts, and within a cell every pass that rows agree on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.engine import Engine
from studio.engine.families.stable_diffusion import StableDiffusion
from studio.engine.inputs import texts
from studio.engine.networks.loader import Loader
from studio.events import Done
from studio.library import Library
from studio.preset import Preset, validate
from studio.preset.sweep import changed, parse_axis, settings
from tests.support import tiny

PRESET = validate(
    {
        "base": "base",
        "rows": [{"prompt": "a cat", "weight": 3.0}, {"prompt": "fog", "weight": -1.0}],
        "sampler": {"steps": 4, "scheduler": "ddim", "seed": 3},
    }
)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    tiny.lora(tmp_path / "base/style", tiny.pipeline(tmp_path / "base").unet)
    return Library((tmp_path,))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """The prompts that are encoded and the networks that are read, as they are."""
    found: dict[str, list[Any]] = {"encoded": [], "read": []}
    encode, read = StableDiffusion.encode, Loader._read_network

    def encoding(self: Any, text: Any, prompts: Any, *rest: Any) -> Any:
        found["encoded"] += prompts
        return encode(self, text, prompts, *rest)

    def reading(self: Any, weights: Any) -> Any:
        found["read"].append(str(weights))
        return read(self, weights)

    monkeypatch.setattr(StableDiffusion, "encode", encoding)
    monkeypatch.setattr(Loader, "_read_network", reading)
    return found


def make(engine: Engine, preset: Preset) -> Done:
    return [event for event in engine.generate(preset) if isinstance(event, Done)][-1]


def test_cells_share_networks_and_texts_and_rows_share_the_unconditional_pass(
    library: Library, counted: dict[str, list[Any]]
) -> None:
    axes = [parse_axis("rows.0.weight=1,3,7", "--x"), parse_axis("rows.1.prompt=fog,rain", "--y")]
    cells = [changed(PRESET, axes, settings(axes, number)) for number in range(6)]
    engine = Engine(device="cpu", library=library)
    made = [make(engine, cell) for cell in cells]
    assert sorted(counted["encoded"]) == ["", "a cat", "fog", "rain"]  # once for six cells
    assert counted["read"] == ["base"]
    rows = [{"a cat", "fog"}, {"a cat", "rain"}]
    assert all(
        one.forwards == 4 * (1 + len(prompts)) for one, prompts in zip(made, rows * 3, strict=True)
    )
    for cell, done in zip(cells[1::3], made[1::3], strict=True):  # a cell is the picture alone
        alone = make(Engine(device="cpu", library=library), cell)
        assert np.array_equal(np.asarray(done.image), np.asarray(alone.image))


def test_a_text_that_may_change_is_encoded_anew(
    library: Library, counted: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full memory lets the oldest go; another tower's texts are its own."""
    engine = Engine(device="cpu", library=library)
    monkeypatch.setattr(texts, "MOST_KEPT", 1)
    for _ in range(2):
        make(engine, PRESET)
    assert len(counted["encoded"]) >= 5  # one text of three is kept
    counted["encoded"].clear()
    make(Engine(device="cpu", library=library), PRESET)
    assert sorted(counted["encoded"]) == ["", "a cat", "fog"]
