"""Styles of one's own are renamed and deleted; a file of them is taken in as it is."""

from __future__ import annotations

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studio.errors import BadPreset, MissingFile
from studio.preset import own_styles, styles, validate
from studio.share.styled import styled
from studio.ui.presets.styles import style_words

TABLE = '\ufeffname,prompt,negative_prompt\n--- Mine ---,,\nInk,"{prompt}, in ink",photo\n,odd,\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    return tmp_path


def names() -> list[str]:
    return [style.name for style in styles.styles()]


def test_one_of_ones_own_is_renamed_where_it_lies_and_deleted(home: Path) -> None:
    path = styles.save_style("Dusk", "at dusk", "noon")
    own_styles.edit_style("Dusk", "  Late   dusk ")
    assert names() == ["Late dusk"] and path.is_file()
    kept = styles.find("late dusk")
    assert (kept.prompt, kept.negative) == ("at dusk", "noon")
    styles.save_style("Ink", "in ink")
    for taken in ("ink", "", "x" * 201):
        with pytest.raises(BadPreset, match="name"):
            own_styles.edit_style("Late dusk", taken)
    own_styles.edit_style("Late dusk", "LATE DUSK")  # its own name is not taken
    assert own_styles.delete_style("LATE DUSK")[0] == "LATE DUSK"
    assert names() == ["Ink"] and not path.exists()


def test_one_of_several_is_changed_and_the_others_stay(home: Path) -> None:
    folder = home / "home" / "styles"
    folder.mkdir(parents=True)
    table, two = folder / "styles.csv", folder / "two.json"
    more = TABLE.replace("\n", "\r\n") + 'Sharp,"a,\nb",,kept\r\n'
    table.write_text(more, encoding="utf-8", newline="")
    two.write_text(json.dumps([{"name": "A", "prompt": "a", "x": 1}, {"name": "B"}]))

    def lines() -> list[list[str]]:
        with table.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))

    before = lines()
    own_styles.edit_style("Ink", "Pen")
    assert lines() == [*before[:2], ["Pen", *before[2][1:]], *before[3:]]
    assert own_styles.delete_style("Pen")[0] == "Pen"
    assert lines() == [*before[:2], *before[3:]]
    assert table.read_bytes().startswith(b"\xef\xbb\xbfname,") and b"\r\n" in table.read_bytes()
    own_styles.edit_style("A", "C")
    assert json.loads(two.read_text())[0] == {"name": "C", "prompt": "a", "x": 1}
    own_styles.delete_style("C")
    assert json.loads(two.read_text()) == [{"name": "B"}]
    for change in (own_styles.delete_style, lambda name: own_styles.edit_style(name, "x")):
        with pytest.raises(MissingFile, match="style"):
            change("nobody")


def test_its_texts_are_written_where_they_stand(home: Path) -> None:
    folder = home / "home" / "styles"
    folder.mkdir(parents=True)
    table, list_, bare = folder / "a.csv", folder / "b.json", folder / "c.csv"
    table.write_text("name,note,text,negative_prompt\nInk,x,in ink\nPen,y,pen,photo\n")
    list_.write_text(json.dumps([{"name": "A", "prompt": "a", "negative": "b", "x": 1}]))
    bare.write_text("name,prompt\nDusk,at dusk\n")
    own_styles.edit_style("Ink", "Brush", " by brush ", "a photo")
    own_styles.edit_style("Pen", "Pen", "", "photo")
    assert table.read_text("utf-8-sig").splitlines() == [
        "name,note,text,negative_prompt",
        "Brush,x,by brush,a photo",
        "Pen,y,,photo",
    ]
    own_styles.edit_style("A", "A", "c", "")
    own_styles.edit_style("A", "A", negative="d")
    assert json.loads(list_.read_text()) == [{"name": "A", "prompt": "c", "negative": "d", "x": 1}]
    own_styles.edit_style("Dusk", "Dusk", "at dawn", "")
    with pytest.raises(BadPreset, match="has no column 'negative_prompt'"):
        own_styles.edit_style("Dusk", "Dusk", "at dawn", "noon")
    for text, words in (("x" * 4001, "4001 letters"), (" ", "no text")):
        with pytest.raises(BadPreset, match=words):
            own_styles.edit_style("Dusk", "Dusk", text)
    assert styles.find("Dusk").prompt == "at dawn"


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_what_is_taken_in_of_a_file_keeps_what_only_other_tools_read(
    home: Path, suffix: str
) -> None:
    styles.save_style("Ink", "in ink")
    given = home / f"more{suffix}"
    more = {"name": "Pen", "prompt": "{prompt}, by pen", "category": "drawn", "thumbnail": "p.jpg"}
    with given.open("w", newline="") as file:
        if suffix == ".csv":
            table = csv.DictWriter(file, list(more))
            table.writeheader()
            table.writerows([{**more, "name": "ink"}, more])
        else:
            json.dump([{"name": "ink", "prompt": "x"}, more], file)
    usable, notes = own_styles.take_styles(given)
    assert [style.name for style in usable] == ["Pen"] and own_styles.STAYS in notes[0]
    own_styles.edit_style("Pen", "Quill")
    (kept,) = (home / "home" / "styles").glob("more*")
    assert json.loads(kept.read_text()) == [{**more, "name": "Quill"}]


def test_a_file_is_taken_in_with_a_line_for_what_is_not(home: Path) -> None:
    given = home / "My styles.CSV"
    given.write_text(TABLE, encoding="utf-8")
    assert own_styles.holds_styles(given)
    taken, notes = own_styles.take_styles(given)
    assert [style.name for style in taken] == ["Ink"] and "without a name" in notes[0]
    assert styles.find("ink").prompt == "{prompt}, in ink"
    (kept,) = (home / "home" / "styles").iterdir()
    assert kept.read_bytes() == given.read_bytes()
    with pytest.raises(BadPreset, match="no style that is new") as refused:
        own_styles.take_styles(given)  # again: nothing is doubled
    assert "without a name · style 'Ink': there is one" in str(refused.value)  # every reason
    more = home / "more.json"
    more.write_text(json.dumps([{"name": "ink", "prompt": "x"}, {"name": "Oil", "prompt": "oil"}]))
    taken, notes = own_styles.take_styles(more)
    assert [style.name for style in taken] == ["Oil"]
    assert notes == ["style 'ink': there is one of this name already, which stays"]
    assert styles.find("ink").prompt == "{prompt}, in ink"


def test_what_of_a_file_is_not_read_is_said(home: Path) -> None:
    given = home / "more.json"
    entry = {"name": "Oil", "prompt": "oil", "cfg": 7, "sampler": "Euler", "seed": None, "rows": []}
    given.write_text(json.dumps([entry, {"name": "Ink", "text": "ink", "negative": "fog"}]))
    said = "style 'Oil': not read here: 'cfg', 'sampler'"
    _, notes = own_styles.take_styles(given)
    assert notes == [said]
    assert styled(validate({"rows": [{"prompt": "a cat"}]}), styles.find("Oil"))[1] == [said]
    assert styled(validate({"rows": [{"weight": -1, "prompt": "x"}]}), styles.find("Ink"))[1] == []


def test_what_many_styles_of_a_file_say_in_vain_is_one_line(home: Path) -> None:
    given = home / "many.json"
    entries = [{"name": f"s{at}", "prompt": "x", "category": "oil"} for at in range(20)]
    twice = {"name": "twice", "prompt": "x", "text": "y"}
    given.write_text(json.dumps([*entries, twice]))
    assert own_styles.take_styles(given)[1] == [
        "20 styles: not read here: 'category'",
        "style 'twice': not read here: 'text'",
    ]


def test_a_text_with_commas_and_no_quotes_is_told_of(home: Path) -> None:
    given = home / "table.csv"
    given.write_text("name,prompt,negative_prompt\nfoo,red, blue, green,dark\n")
    (note,) = own_styles.take_styles(given)[1]
    assert "cells beyond the columns (a text with commas needs quotes)" in note


def test_of_many_reasons_the_first_are_told(home: Path) -> None:
    given = home / "many.json"
    given.write_text(json.dumps([{"name": f"s{at}", "prompt": "x"} for at in range(20)]))
    own_styles.take_styles(given)
    with pytest.raises(BadPreset, match=r"'s5': there is one of .* stays · and 14 more$"):
        own_styles.take_styles(given)


def test_two_of_one_name_are_told_apart(home: Path) -> None:
    pair = [{"name": "Oil", "prompt": "first"}, {"name": "oil", "prompt": "second"}]
    given = home / "pair.json"
    given.write_text(json.dumps(pair))
    taken, notes = own_styles.take_styles(given)
    assert [style.prompt for style in taken] == ["first"] and len(notes) == 1
    assert [style.prompt for style in styles.styles()] == ["first"]
    (home / "home" / "styles" / "by-hand.json").write_text(json.dumps(pair))
    others = [style for style in styles.styles() if style.problem]
    assert {style.problem for style in others} == {styles.NAMESAKE} and len(others) == 2
    assert not any(own_styles.is_own(style) for style in others)


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


def test_of_simultaneous_edits_none_is_lost(home: Path) -> None:
    table = home / "home" / "styles" / "styles.csv"
    table.parent.mkdir(parents=True)
    lines = "".join(f"S{at},text {at},\n" for at in range(12))
    table.write_text(f"name,prompt,negative_prompt\n{lines}")
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda at: own_styles.edit_style(f"S{at}", f"T{at}"), range(12)))
    assert sorted(names()) == sorted(f"T{at}" for at in range(12))


def test_a_linked_file_stays_the_one_elsewhere(home: Path) -> None:
    table, link = home / "webui.csv", home / "home" / "styles" / "styles.csv"
    table.write_text(TABLE, encoding="utf-8")
    link.parent.mkdir(parents=True)
    link.symlink_to(table)
    own_styles.edit_style("Ink", "Pen")
    assert link.is_symlink() and "Pen" in table.read_text(encoding="utf-8")


def test_texts_that_have_changed_since_they_were_read_stay(home: Path) -> None:
    styles.save_style("Dusk", "at dusk")
    before = {"prompt": "at dusk", "negative": ""}
    asked = {"id": "Dusk", "name": "Dusk", "prompt": "at dawn", "negative": "", "before": before}
    assert style_words(asked) == {"kept": True}
    again = style_words({**asked, "prompt": "at noon"})
    assert "its texts have changed meanwhile" in again["error"]
    assert styles.find("Dusk").prompt == "at dawn"
    styles.save_style("Ink", "in ink")
    taken = style_words({"id": "Ink", "name": "dusk", "prompt": "x"})["error"]
    assert taken.startswith("style: there is a style")
    assert "no such style" in style_words(None)["error"]


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_a_table_as_a_spreadsheet_writes_it_is_taken_and_stays_one(
    home: Path, between: str
) -> None:
    brought = home / "styles.csv"
    lines = [["name", "prompt", "negative_prompt"], ["Film", "{prompt}, film; a, b", "blurry"]]
    with brought.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=between).writerows(lines)
    taken, _ = own_styles.take_styles(brought)
    assert [(one.name, one.prompt) for one in taken] == [("Film", "{prompt}, film; a, b")]
    own_styles.delete_style("Film")
    laid = home / "home" / "styles" / "styles.csv"
    brought.rename(laid)
    own_styles.edit_style("Film", "Cinema")
    assert styles.find("Cinema").negative == "blurry"
    with laid.open(encoding="utf-8-sig", newline="") as file:
        assert [*csv.reader(file, delimiter=between)] == [lines[0], ["Cinema", *lines[1][1:]]]
