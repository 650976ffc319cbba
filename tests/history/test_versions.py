"""A database of an earlier version, and the hashes of models that came with the second one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from PIL import Image

from studio.history import History, Query, record_of
from studio.history.intake import take_in
from studio.history.record import Record, identity
from studio.history.tables import STEPS
from studio.preset import Preset, validate
from studio.share import save_image

INSERT = (
    "INSERT INTO pictures (id, path, made, title, width, height, steps, base, prompts, lora, preset,"
    " shares, scores, parent, starred, note, board, problem, bytes, changed)"
    " VALUES (?, ?, 1, 'Old', 8, 8, 4, 'starter', 'a cat', 0, ?, '[]', '{}', '', 1, 'mine', '', ?,"
    " 9, 9)"
)
# Of each what the database kept of it, and what was wrong with it.
KEPT = {
    "euler": (validate({"sampler": {"scheduler": "euler"}}).to_json(), ""),
    "default": (Preset().to_json(), ""),
    "none": ("", "carries no preset"),
    "damaged": ("{", ""),
}


def test_a_first_version_s_pictures_stay_with_what_was_said_of_them(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "studio.db") as connection:
        for statement in filter(str.strip, STEPS[0].split(";")):
            connection.execute(statement)
        for name, (preset, problem) in KEPT.items():
            connection.execute(INSERT, (identity(name), f"{name}.png", preset, problem))
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    history = History(tmp_path, tmp_path / "outputs")
    record, *others = history.search().records
    assert len(others) == len(KEPT) - 1
    assert (record.title, record.starred, record.note) == ("Old", True, "mine")
    assert record.hashes == {} and not history.notice
    # As a picture that is taken in now would be found: by default dpm++, which no preset writes down.
    assert "dpm++" not in KEPT["default"][0]
    assert history.names("schedulers") == [("dpm++", 1), ("euler", 1)]
    for scheduler, name in (("euler", "euler"), (Preset().sampler.scheduler, "default")):
        found = history.search(Query(scheduler=scheduler)).records
        assert [one.path for one in found] == [f"{name}.png"]
    history.close()


def test_a_preset_s_pictures_are_found_by_its_name(tmp_path: Path) -> None:
    names = ("Fox_1", "Fox_1", "Fox 21", "")
    for seed, name in enumerate(names):
        made = validate({"name": name, "sampler": {"seed": seed}})
        save_image(Image.new("RGB", (8, 8)), made, tmp_path / "outputs")
    history = History(tmp_path, tmp_path / "outputs")
    take_in(history)
    assert history.names("presets") == [("Fox_1", 2), ("Fox 21", 1)]  # a file's name is none
    found = history.search(Query(preset="Fox_1")).records
    assert {record.seed for record in found} == {0, 1}
    history.close()


def test_only_a_picture_s_whole_name_is_its_file_s(tmp_path: Path) -> None:
    history = History(tmp_path, tmp_path)
    for path, title in (
        ("axb.png", "a_b"),
        ("fox.png", "Fox"),
        ("one.png", "%"),
        ("Wolf.d/two.png", "Wolf"),
        ("red bear.png", "bear"),
        ("grey.owl.png", "grey"),
        *(("a_b.png", "a_b.png"), ("below/deer.webp", "de")),
        *(("hare.png", "hare"), ("below/elk.v2.png", "elk.v2"), ("100%_é.jpg", "100%_é")),
    ):
        history.add(Record(identity(path), path, 1.0, title=title))
    named = {"a_b", "Fox", "%", "Wolf", "bear", "grey", "a_b.png", "de"}
    assert dict(history.names("presets")) == dict.fromkeys(named, 1)
    history.close()


def test_the_hashes_of_its_models_outlive_the_database(tmp_path: Path) -> None:
    preset = validate({"name": "One", "rows": [{"prompt": "a", "model": {"lora": "loras/fox"}}]})
    file = save_image(Image.new("RGB", (8, 8)), preset, tmp_path / "outputs")
    known = {"loras/fox": "ab" * 32}
    history = History(tmp_path, tmp_path / "outputs")
    history.made(record_of(file, file.name, hashes=known))
    assert history.search().records[0].hashes == known
    history.close()
    (tmp_path / "studio.db").unlink()
    again = History(tmp_path, tmp_path / "outputs")
    take_in(again)
    assert again.search().records[0].hashes == known
    again.close()
