"""Styles of one's own are renamed and deleted; a file of them is taken in as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import BadPreset, MissingFile
from studio.preset import own_styles, styles

TABLE = '\ufeffname,prompt,negative_prompt\n--- Mine ---,,\nInk,"{prompt}, in ink",photo\n,odd,\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return tmp_path


def names() -> list[str]:
    return [style.name for style in styles.styles()]


def test_one_of_ones_own_is_renamed_where_it_lies_and_deleted(home: Path) -> None:
    path = styles.save_style("Dusk", "at dusk", "noon")
    own_styles.rename_style("Dusk", "  Late   dusk ")
    assert names() == ["Late dusk"] and path.is_file()
    kept = styles.find("late dusk")
    assert (kept.prompt, kept.negative) == ("at dusk", "noon")
    styles.save_style("Ink", "in ink")
    for taken in ("ink", "", "x" * 201):
        with pytest.raises(BadPreset, match="name"):
            own_styles.rename_style("Late dusk", taken)
    own_styles.rename_style("Late dusk", "LATE DUSK")  # its own name is not taken
    assert own_styles.delete_style("LATE DUSK") == "LATE DUSK"
    assert names() == ["Ink"] and not path.exists()


def test_a_file_of_several_is_left_alone(home: Path) -> None:
    folder = home / "home" / "styles"
    folder.mkdir(parents=True)
    (folder / "styles.csv").write_text(TABLE, encoding="utf-8")
    (folder / "two.json").write_text(json.dumps([{"name": "A", "prompt": "a"}, {"name": "B"}]))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert not any(own_styles.is_own(style) for style in styles.styles())
    for name in ("Ink", "A", "nobody"):
        with pytest.raises(MissingFile, match="style"):
            own_styles.rename_style(name, "other")
        with pytest.raises(MissingFile, match="style"):
            own_styles.delete_style(name)
    assert before == {path: path.read_bytes() for path in folder.iterdir()}


def test_a_file_is_taken_in_with_a_line_for_what_is_not(home: Path) -> None:
    given = home / "My styles.CSV"
    given.write_text(TABLE, encoding="utf-8")
    assert own_styles.holds_styles(given)
    taken, notes = own_styles.take_styles(given)
    assert [style.name for style in taken] == ["Ink"] and "without a name" in notes[0]
    assert styles.find("ink").prompt == "{prompt}, in ink"
    (kept,) = (home / "home" / "styles").iterdir()
    assert kept.read_bytes() == given.read_bytes()
    with pytest.raises(BadPreset, match="no style that is new"):  # again: nothing is doubled
        own_styles.take_styles(given)
    more = home / "more.json"
    more.write_text(json.dumps([{"name": "ink", "prompt": "x"}, {"name": "Oil", "prompt": "oil"}]))
    taken, notes = own_styles.take_styles(more)
    assert [style.name for style in taken] == ["Oil"]
    assert notes == ["style 'ink': there is one of this name already, which stays"]
    assert styles.find("ink").prompt == "{prompt}, in ink"


@pytest.mark.parametrize("text", ['{"rows": []}', '[{"type": "x"}]', "[1]", "no json", "[" * 9999])
def test_a_preset_is_no_list_of_styles(home: Path, text: str) -> None:
    path = home / "preset.json"
    path.write_text(text)
    assert not own_styles.holds_styles(path)
    assert not own_styles.holds_styles(home / "picture.png")


def test_a_table_that_is_none_is_one_line(home: Path) -> None:
    path = home / "prices.csv"
    path.write_text("what,price\nink,3\n")
    with pytest.raises(BadPreset, match=r"prices.csv: has no column 'name'"):
        own_styles.take_styles(path)
