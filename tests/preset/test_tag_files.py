"""Tags of a person's own lists: what is found, in which order, and how it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.preset import tag_files
from studio.preset.tag_files import Tag, find, known
from studio.ui.editor.tags import tags_like

LIST = (
    '1girl,0,6008644,"1girls,sole_female"\n'
    'hatsune_miku,4,117000,"miku"\n'
    "hat,0,1260000\n"
    "hatsune_miku_(cosplay),4,900,\n"
    "^_^,0,50000,\n"
    "top_hat,0,80000,\n"
    "\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    (tmp_path / "tags").mkdir()
    (tmp_path / "tags" / "danbooru.csv").write_text(LIST, "utf-8")
    return tmp_path / "tags"


def test_the_most_used_come_first_and_those_that_hold_it_last(folder: Path) -> None:
    miku = Tag(r"hatsune miku \(cosplay\)")
    assert find("Hat") == [Tag("hat"), Tag("hatsune miku"), miku, Tag("top hat")]
    assert find("hatsune_mi", most=1) == [Tag("hatsune miku")]
    assert find(r"miku \(cos") == [miku]
    assert find("sole") == [Tag("1girl", "sole female")]
    assert find("^_") == [Tag("^_^")] and find(" ") == [] == find("nothing so")


def test_lists_of_lines_and_of_less_are_read_and_a_change_is_seen(folder: Path) -> None:
    (folder / "own.txt").write_text("my hat\n\nred hat\n", "utf-8")
    (folder / "words.csv").write_text('hat stand,12\n\ufeffbroken"\n', "utf-8")
    assert [tag.text for tag in find("hat")][:3] == [
        "hat",
        "hatsune miku",
        r"hatsune miku \(cosplay\)",
    ]
    assert {"my hat", "red hat", "top hat"} <= {tag.text for tag in find("hat")}
    (folder / "danbooru.csv").unlink()
    assert find("hat")[0] == Tag("hat stand") and known() == (4, "")


def test_one_bad_list_takes_nothing_from_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "aa.csv").write_bytes(b"x" * 2000)
    monkeypatch.setattr(tag_files, "MAX_BYTES", 1000)
    count, problem = known()
    assert count == 6 and "'aa.csv' cannot be read" in problem
    assert tags_like({"typed": "top"}) == {
        "tags": [["top hat", ""]],
        "none": False,
        "problem": problem,
    }
    monkeypatch.setattr(tag_files, "MAX_TAGS", 2)
    (folder / "aa.csv").unlink()
    assert known() == (2, "only the first 2 tags are read")


def test_without_lists_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    assert tags_like({"typed": "hat"}) == {"tags": [], "none": True, "problem": ""}
    assert tags_like(None)["tags"] == []
