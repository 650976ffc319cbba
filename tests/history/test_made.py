"""Which models made a picture: hashes that are known at once, the others once there is time."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from studio.events import Done
from studio.history import History, Record, made
from studio.history.made import hash_models, remember, replaced, unhashed
from studio.library import Library, ModelEntry
from studio.preset import ModelRef, Preset, Row, validate
from studio.share import save_image

WEIGHTS = {"lora_unet_x.lora_down.weight": torch.ones(8, 4), "alpha": torch.ones(1)}


@pytest.fixture
def ink(tmp_path: Path) -> Path:
    path = tmp_path / "models/loras/ink.safetensors"
    path.parent.mkdir(parents=True)
    save_file(WEIGHTS, path)
    return path


@pytest.fixture
def library(ink: Path, studio_home: Path) -> Library:
    return Library((ink.parents[1],))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path, tmp_path / "outputs")
    yield history
    history.close()


def make(own: History, library: Library, seed: int = 1) -> Record:
    preset = Preset(base="far/away", rows=(Row(model=ModelRef(lora="loras/ink")),)).with_seed(seed)
    image = Image.new("RGB", (8, 8))
    path = save_image(image, preset, own.outputs)
    return remember(own, Done(image, seed, preset, 4, 0.5), path, library)


def test_a_hash_is_computed_later_and_known_at_once_the_next_time(
    own: History, library: Library, ink: Path
) -> None:
    first = make(own, library)
    assert first.hashes == {} and first.forwards == 4
    assert unhashed(first, library) == ["loras/ink"]  # the base is not here
    assert hash_models(own, library, ["loras/ink", "absent"]) == ["loras/ink"]
    digest = hashlib.sha256(ink.read_bytes()).hexdigest()
    assert own.get(first.id).hashes == {"loras/ink": digest}
    second = make(own, library, 2)
    assert second.hashes == {"loras/ink": digest} and unhashed(second, library) == []
    assert History(own.home, own.outputs).get(second.id).hashes == {"loras/ink": digest}


def test_what_another_file_of_that_name_made_keeps_none(
    own: History, library: Library, ink: Path
) -> None:
    before = make(own, library)
    save_file({**WEIGHTS, "alpha": torch.zeros(1)}, ink)
    later = own.get(before.id).made + 5
    os.utime(ink, (later, later))
    assert hash_models(own, library, ["loras/ink"]) == ["loras/ink"]
    assert own.get(before.id).hashes == {}


def test_a_model_that_is_another_one_since_is_named(
    own: History, library: Library, ink: Path
) -> None:
    first = make(own, library)
    assert replaced(first, library) == []
    os.utime(ink, (first.made + 5, first.made + 5))  # no hash of either is known
    assert replaced(first, library) == [
        "loras/ink is newer here than this picture, which may not come out the same"
    ]
    hash_models(own, library, ["loras/ink"])
    later = make(own, library, 2)
    assert later.hashes and replaced(later, library) == []  # the same weights, whenever copied
    save_file({**WEIGHTS, "alpha": torch.zeros(1)}, ink)
    assert replaced(later, library)[0].startswith("loras/ink is newer here")
    hash_models(own, library, ["loras/ink"])
    [line] = replaced(later, library)
    assert line.startswith("loras/ink has another hash than when this picture was made")


def test_what_is_interrupted_is_begun_anew_another_time(own: History, library: Library) -> None:
    made = make(own, library)
    assert hash_models(own, library, ["loras/ink"], lambda: True) == []
    assert own.get(made.id).hashes == {} and unhashed(made, library) == ["loras/ink"]
    assert hash_models(own, library, ["loras/ink"]) == ["loras/ink"]


def test_what_is_known_by_the_time_of_a_stop_is_written_down(
    own: History, library: Library
) -> None:
    made, asked = (
        make(own, library),
        iter([False]),
    )  # by the file's one block; a run begins behind it
    assert hash_models(own, library, ["loras/ink"], lambda: next(asked, True)) == ["loras/ink"]
    assert own.get(made.id).hashes == library.hashes_of(["loras/ink"]) != {}


def test_a_hash_that_became_known_another_way_is_written_down(
    own: History, library: Library, ink: Path
) -> None:
    made = make(own, library)
    assert list(library.hashes.fill(library.entries()))  # as `models --hashes` does
    assert unhashed(made, library) == ["loras/ink"]
    assert hash_models(own, library, ["loras/ink"], lambda: True) == ["loras/ink"]
    digest = hashlib.sha256(ink.read_bytes()).hexdigest()
    assert own.get(made.id).hashes == {"loras/ink": digest}


def test_a_hash_that_another_thread_computes_meanwhile_is_written_down(
    own: History, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, fill = make(own, library), library.hashes.fill

    def computed_elsewhere(entries: list[ModelEntry], stop: object) -> Iterator[ModelEntry]:
        list(fill(entries))
        return iter(())

    monkeypatch.setattr(library.hashes, "fill", computed_elsewhere)
    assert hash_models(own, library, ["loras/ink"]) == ["loras/ink"]
    assert own.get(made.id).hashes == library.hashes_of(["loras/ink"]) != {}


@pytest.mark.parametrize("cell", ["{", "[]", "3", "null"])
def test_a_damaged_cell_of_hashes_is_written_anew(
    cell: str, own: History, library: Library, ink: Path
) -> None:
    made = make(own, library)
    with own.database.writing() as connection:
        connection.execute("UPDATE pictures SET hashes = ?", [cell])
    assert hash_models(own, library, ["loras/ink"]) == ["loras/ink"]
    assert list(own.get(made.id).hashes) == ["loras/ink"]


def test_a_file_is_older_than_what_ships_by_the_models_card(
    tmp_path: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "assets" / "small"
    shipped.mkdir(parents=True)
    (shipped / "card.json").write_text(json.dumps({"edition": 3, "since": "2026-11-30"}))
    monkeypatch.setattr(made, "ASSETS", shipped.parent)
    monkeypatch.setattr(made, "PRESETS", tmp_path / "presets")
    ink = library["loras/ink"]
    models: Any = {"small": dataclasses.replace(ink, id="small", path=str(shipped))}
    preset = validate({"base": "small", "rows": [{"prompt": "a cat"}]})
    said = ["small is newer here than this file, which may not draw the same"]
    before, after = (
        tmp_path / "20261128-120000-000000-1.json",
        tmp_path / "20261202-120000-000000.png",
    )
    assert made.renewed(preset, before, models) == said
    assert made.renewed(preset, after, models) == []
    assert made.renewed(preset, tmp_path / "presets" / before.name, models) == []
    assert made.renewed(preset, tmp_path / "not-there.json", models) == []
    (shipped / "card.json").write_text("[")
    assert made.renewed(preset, before, models) == []
    elsewhere = tmp_path / "mine"  # whose card may hold anything
    elsewhere.mkdir()
    (elsewhere / "card.json").write_text("[]")
    other: Any = {"small": dataclasses.replace(ink, id="small", path=str(elsewhere))}
    assert made.renewed(preset, before, other) == []
