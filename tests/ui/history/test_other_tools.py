"""Pictures of other tools among the outputs: used again with the library, and told what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

pytest.importorskip("gradio")

from studio.history import History, Query
from studio.history.intake import take_in
from studio.history.tables import STEPS
from studio.library import Library
from studio.preset import validate
from studio.share import save_image
from studio.ui.history import moments, reuse, view
from studio.ui.history.moments import Moment
from studio.ui.works.works import left_of_pictures
from tests.ui.test_parents import KEY, Page, event

TEXT = (
    "a fox <lora:fur:0.7>\nNegative prompt: lowres\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 5, "
    "Size: 64x64, Model hash: 6ce0161689, Model: dreamshaper_8, VAE: vae-ft-mse.safetensors, Clip skip: 2, Version: v1.6.0"
)
MISSING = "base: the model 'dreamshaper_8' is not in the library"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    (tmp_path / "outputs" / "old").mkdir(parents=True)
    said = PngInfo()
    said.add_text("parameters", TEXT)
    Image.new("RGB", (64, 64)).save(tmp_path / "outputs" / "old" / "00001-5.png", pnginfo=said)
    found = History(tmp_path, tmp_path / "outputs")
    take_in(found)
    yield found
    found.close()


def test_its_models_are_those_that_its_tool_names(own: History, tmp_path: Path) -> None:
    record = own.search().records[0]
    assert record.base == "dreamshaper_8" and record.models == (
        "dreamshaper_8",
        "vae-ft-mse",
        "fur",
    )
    assert record.lora and record.hashes == {"dreamshaper_8": "6ce0161689"}
    assert own.names("models") == [("dreamshaper_8", 1), ("fur", 1), ("vae-ft-mse", 1)]
    for asked, count in (("dreamshaper", 1), ("model:dreamshaper_8", 1), ("starter", 0)):
        assert own.search(Query(text=asked)).total == count
    # One that names none is not said to be of the studio's own.
    said = PngInfo()
    said.add_text("parameters", "a cat\nSteps: 20, Sampler: DDIM, CFG scale: 7, Seed: 6, Size: 8x8")
    Image.new("RGB", (8, 8)).save(tmp_path / "outputs" / "unnamed.png", pnginfo=said)
    take_in(own)
    (unnamed,) = own.search(Query(text="cat")).records
    assert unnamed.base == "" and unnamed.models == () and unnamed.seed == 6


def test_hashes_that_were_written_of_another_model_are_none_of_its(
    own: History, tmp_path: Path
) -> None:
    (one,) = own.ids(Query())
    own.hashed([one], {"starter": "ab" * 16, "fur": "cd" * 16})
    own.close()
    again = History(tmp_path, tmp_path / "outputs")
    with again.database.writing() as connection:
        connection.execute("UPDATE pictures SET changed = 0")
    take_in(again)
    assert again.get(one).hashes == {"fur": "cd" * 16, "dreamshaper_8": "6ce0161689"}
    again.close()


def test_where_its_file_has_gone_the_names_of_its_models_are_told(own: History) -> None:
    (record,) = own.search().records
    own.file(record).unlink()
    found, notes = reuse.brought(own, record.id)
    assert found.rows[0].prompt.startswith("a fox")
    assert notes == [
        "base: the picture's file cannot be read, and of its models the names alone are known: "
        "dreamshaper_8, vae-ft-mse, fur"
    ]


def test_its_own_text_is_copied_for_a1111(own: History, tmp_path: Path) -> None:
    record = own.search().records[0]
    answer = view.answer(own, {"do": "a1111", "id": record.id})
    assert answer["code"]["text"] == TEXT and answer["left_out"] == ""
    # One of the studio's own has a preset, and its text is written anew.
    save_image(Image.new("RGB", (8, 8)), validate({"rows": [{"prompt": "an elk"}]}), own.outputs)
    take_in(own)
    (made,) = own.search(Query(text="elk")).records
    text = view.answer(own, {"do": "a1111", "id": made.id})["code"]["text"]
    assert text.startswith("an elk") and "Size: 8x8" in text


def test_a_history_of_before_reads_them_anew_and_keeps_what_was_said(
    own: History, tmp_path: Path
) -> None:
    record = own.search().records[0]
    own.mark([record.id], starred=True, note="mine")
    with own.database.writing() as connection:
        connection.execute("UPDATE models SET name = 'starter' WHERE name LIKE 'd%'")
        connection.execute("UPDATE pictures SET base = 'starter', hashes = '{}'")
        connection.execute(f"PRAGMA user_version = {len(STEPS) - 1}")
    again = History(tmp_path, tmp_path / "outputs")
    take_in(again)
    found = again.get(record.id)
    assert found.base == "dreamshaper_8" and found.starred and found.note == "mine"
    again.close()


def test_it_is_used_again_with_the_models_that_the_library_has(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (reuse, moments):
        monkeypatch.setattr(place, "library", lambda: ["mine/dreamshaper_8", "fur", "vae-ft-mse"])
    record = own.search().records[0]
    for preset, notes in (
        reuse.brought(own, record.id),
        Moment.recorded(own, record).brought(),
    ):
        assert preset.base == "mine/dreamshaper_8" and preset.clip_skip == 2
        assert preset.rows[0].model is not None
        assert not any("not in the library" in note for note in notes)


def test_what_the_library_lacks_is_said_with_the_part_that_is_used(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (reuse, moments):
        monkeypatch.setattr(place, "library", lambda: ["starter"])
    record = own.search().records[0]
    _, notes = reuse.brought(own, record.id)
    assert any(note.startswith(MISSING) for note in reuse.told_of(notes, "all"))
    rows = reuse.told_of(notes, "rows")
    assert len(rows) == 1 and rows[0].startswith("rows.0.model: the LoRA 'fur' at 0.7")
    assert reuse.told_of(notes, "seed") == reuse.told_of(notes, "prompts") == []
    assert Moment.recorded(own, record).brought()[1] == notes


def test_the_page_says_it_where_a_picture_is_used_again(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, record = Page(monkeypatch), own.search().records[0]
    monkeypatch.setattr(page.runs, "history", lambda session: own)
    notes = page.parts.signals["notes"]
    found = page.fire(page.parts.history, "submit", KEY, event(part="all", id=record.id))
    assert any("'dreamshaper_8' is not in the library" in one for one in found[notes]["notes"])
    found = page.fire(page.parts.strip, "select", KEY, event(id=record.id))
    assert any("'dreamshaper_8' is not in the library" in one for one in found[notes]["notes"])


def test_what_is_made_of_it_comes_with_what_the_library_lacks(
    own: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = own.search().records[0]
    monkeypatch.setattr("studio.ui.editor.sent.get_upload_folder", lambda: str(own.outputs))
    picture = {"path": str(own.file(record)), "meta": {"_type": "gradio.FileData"}}
    for do in ("vary", "larger"):
        notes = left_of_pictures({"do": do, "picture": picture}, Library(), own)
        assert notes[1].startswith(MISSING)
        of_size = [note for note in notes if note.startswith("sampler.width")]
        assert bool(of_size) is (do == "vary")  # a larger one has a size of its own
    # Of several each line once, also where one is gone by then.
    other = tmp_path / "outputs" / "old" / "00002-5.png"
    other.write_bytes(own.file(record).read_bytes())
    take_in(own)
    ids = [*own.ids(Query()), "0" * 16]
    said = left_of_pictures({"do": "larger", "ids": ids}, Library(), own)
    assert said == notes and len(ids) == 3
    assert not left_of_pictures({"do": "each", "picture": picture}, Library(), own)


def test_a_graph_s_text_for_a1111_names_its_own_model_and_what_is_missing(
    own: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = {
        "1": {
            "class_type": "CheckpointLoaderSimple",
            "inputs": {"ckpt_name": "xl/jugger.safetensors"},
        },
        "2": {
            "class_type": "LoraLoader",
            "inputs": {
                "lora_name": "ink.safetensors",
                "strength_model": 0.8,
                "strength_clip": 0.8,
                "model": ["1", 0],
                "clip": ["1", 1],
            },
        },
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "a heron", "clip": ["2", 1]}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}},
        "5": {
            "class_type": "KSampler",
            "inputs": {
                "seed": 8,
                "steps": 4,
                "cfg": 5,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1,
                "model": ["2", 0],
                "positive": ["3", 0],
                "negative": ["3", 0],
                "latent_image": ["4", 0],
            },
        },
    }
    said = PngInfo()
    said.add_text("prompt", json.dumps(graph))
    Image.new("RGB", (64, 64)).save(tmp_path / "outputs" / "graph.png", pnginfo=said)
    take_in(own)
    monkeypatch.setattr(reuse, "library", lambda: ["starter"])
    (record,) = own.search(Query(text="heron")).records
    answer = view.answer(own, {"do": "a1111", "id": record.id})
    assert answer["code"]["text"].endswith("Model: jugger")
    assert "ink" in answer["left_out"] and "not in the library" in answer["left_out"]
