"""Damage in the history's files: the pictures are found all the same, in a history that is kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.history import History, Query
from studio.history.intake import take_in
from studio.history.journal import Journal
from studio.preset import Preset, Row, Sampler
from studio.share import save_image

KNOWN = "0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for seed in range(2):
        preset = Preset(rows=(Row(prompt="a cat"),), sampler=Sampler(seed=seed))
        save_image(Image.new("RGB", (8, 8)), preset, tmp_path / "outputs")
    opened = History(tmp_path, tmp_path / "outputs")
    take_in(opened)
    opened.mark([opened.search().records[0].id], starred=True, tags=["x"])
    opened.close()
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        *({"id": KNOWN}, {"set": {"note": "x"}}, {"id": KNOWN, "set": []}, [], "x", 3),
        *({"id": "../../x", "set": {"note": "x"}}, {"id": [1], "set": {"note": "x"}}),
    ],
)
def test_a_line_that_is_none_is_passed_over(line: Any, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "history.jsonl")
    good = {"id": KNOWN, "set": {"note": "good", "other": 1}}
    lines = [json.dumps(line), json.dumps(good)]
    (tmp_path / "history.jsonl").write_text("\n".join(lines) + "\n")
    assert journal.read() == {KNOWN: {"note": "good"}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("forwards", 1.5), ("forwards", 10**400), ("seconds", float("nan")), ("seconds", True)),
        *(("scores", []), ("scores", {"a": "x"}), ("starred", 1), ("note", 5), ("note", "\ud800")),
        *(("tags", 5), ("tags", [3]), ("tags", ["\ud800"]), ("board", {}), ("path", ["x"])),
        *(("deleted", "yesterday"), ("deleted", 1e300), ("parent", None)),
    ],
)
def test_a_field_of_another_type_is_passed_over(field: str, value: Any, tmp_path: Path) -> None:
    line = {"id": KNOWN, "set": {"board": "kept", field: value}}
    (tmp_path / "history.jsonl").write_text(json.dumps(line) + "\n")
    said = Journal(tmp_path / "history.jsonl").read()[KNOWN]
    assert said == ({} if field == "board" else {"board": "kept"})


def _column_renamed(database: sqlite3.Connection) -> None:
    database.execute("ALTER TABLE pictures RENAME COLUMN title TO tytle")


def _schema_that_is_no_text(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA writable_schema = ON")
    database.execute("UPDATE sqlite_master SET name = CAST(x'ffff' AS TEXT), sql = x'ff'")


@pytest.mark.parametrize("damage", [_column_renamed, _schema_that_is_no_text])
def test_tables_that_are_others_are_made_anew(
    damage: Callable[[sqlite3.Connection], None], home: Path
) -> None:
    database = sqlite3.connect(home / "studio.db")
    damage(database)
    database.commit()
    database.close()
    opened = History(home, home / "outputs")
    assert "made anew" in opened.notice and opened.database.home == home
    take_in(opened)
    assert sorted(one.starred for one in opened.search().records) == [False, True]
    opened.close()


def test_columns_of_another_type_are_nothing(home: Path) -> None:
    database = sqlite3.connect(home / "studio.db")
    database.execute(
        "UPDATE pictures SET shares = '[', scores = '[]', seconds = 'x', width = x'00'"
    )
    database.execute("UPDATE pictures SET title = CAST(x'61ff' AS TEXT), seed = 'x'")
    database.commit()
    database.close()
    opened = History(home, home / "outputs")
    for record in opened.search().records:
        assert (record.shares, record.scores, record.seconds) == ((), {}, None)
        assert (record.width, record.title, record.seed) == (0, "a\ufffd", None)
    opened.close()


def test_damage_that_shows_late_is_mended_at_once(home: Path) -> None:
    opened = History(home, home / "outputs")
    assert not opened.notice
    database = sqlite3.connect(home / "studio.db")
    database.execute("DELETE FROM words_data")
    database.commit()
    database.close()
    with pytest.raises(StudioError, match="cannot be read"):
        opened.search(Query(text="cat"))
    take_in(opened)
    assert len(opened.search(Query(text="cat")).records) == 2 and "made anew" in opened.notice
    assert list(home.glob("studio.db.damaged-*"))
    opened.close()


def test_a_disk_that_cannot_be_read_leaves_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, connect = (home / "studio.db").read_bytes(), sqlite3.connect

    def failing(place: str, **options: Any) -> sqlite3.Connection:
        if place != ":memory:":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 1 << 8
            raise error
        return connect(place, **options)

    monkeypatch.setattr(sqlite3, "connect", failing)
    opened = History(home, home / "outputs")
    assert "cannot be kept here" in opened.notice
    take_in(opened)
    assert len(opened.search().records) == 2
    assert (home / "studio.db").read_bytes() == whole and not list(home.glob("*damaged*"))
    opened.close()


def test_of_a_picture_whose_file_is_damaged_what_was_known_stays(home: Path) -> None:
    own = History(home, home / "outputs")
    one, other = own.search(Query(sort="oldest")).records
    own.file(one).write_bytes(b"rubbish")
    Image.new("RGB", (4, 4)).save(own.file(other))  # another picture of its name
    take_in(own)
    damaged, replaced = own.get(one.id), own.get(other.id)
    assert damaged.problem and (damaged.prompts, damaged.seed) == ("a cat", one.seed)
    assert damaged.preset == one.preset and replaced.problem and replaced.preset == ""
    assert take_in(own) == 0  # looked at once
    own.close()
