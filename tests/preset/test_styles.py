"""Styles: A1111's table and files of one's own, and what they add, worked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import BadPreset, MissingFile
from studio.preset import Preset, styles, validate
from studio.preset.rows import Row
from studio.preset.style_parts import left_out, not_kept, texts_of

TABLE = (
    "\ufeffname,prompt,negative_prompt\n"
    '--- Mine ---,,\nInk,"{prompt}, in ink,\nfine lines","photo, blurry"\nSharp,sharp,\n,odd,\n'
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    (tmp_path / "styles").mkdir()
    return tmp_path / "styles"


def preset(*rows: tuple[str, float]) -> Preset:
    return validate({"rows": [{"prompt": text, "weight": weight} for text, weight in rows]})


def rows(given: Preset) -> list[tuple[str, float]]:
    return [(row.prompt, row.weight) for row in given.rows]


def test_the_web_ui_s_table_is_read_and_its_headings_are_none(folder: Path) -> None:
    (folder / "styles.csv").write_text(TABLE, encoding="utf-8")
    ink, sharp, odd = styles.styles()
    assert (ink.name, ink.prompt) == ("Ink", "{prompt}, in ink,\nfine lines")
    assert (ink.negative, sharp.prompt, sharp.negative) == ("photo, blurry", "sharp", "")
    assert odd.problem == "a style without a name"


def test_texts_stand_where_the_web_ui_puts_them() -> None:
    """``{prompt}`` is replaced, else the text follows after a comma; a negative prompt is a row."""
    ink = styles.Style("ink", "in ink: {prompt}!", "photo")
    assert rows(styles.with_style(preset(("a cat", 7.0)), ink)) == [
        ("in ink: a cat!", 7.0),
        ("photo", -6.0),
    ]
    given = preset(("a cat", 7.0), ("bad", -6.0), ("a dog", 2.0))
    assert rows(styles.with_style(given, styles.Style("x", "sharp", "photo"))) == [
        ("a cat, sharp", 7.0),
        ("bad, photo", -6.0),
        ("a dog, sharp", 2.0),
    ]


def test_parts_keep_their_weights_and_a_saved_prompt_fills_an_empty_row() -> None:
    style = styles.Style("x", "sharp", "photo")
    found = styles.with_style(preset(("a cat:1.5 AND a hat", 1.0)), style)
    assert rows(found) == [("a cat, sharp:1.5 AND a hat", 1.0)]  # at weight 1 there is no negative
    said = left_out(preset(("a cat", 1.0)), style)
    assert "'photo' is left out" in said and "\n" not in said
    assert not left_out(preset(("a cat", 2.0)), style)
    assert not left_out(preset(("a cat", 1.0), ("bad", -1.0)), style)
    assert rows(styles.with_style(preset(("", 3.0)), style)) == [("sharp", 3.0), ("photo", -2.0)]
    assert rows(styles.with_style(preset(), styles.Style("x", "sharp")))[0][0] == "sharp"


def test_a_style_s_rows_come_last_and_what_is_kept_is_found_again(folder: Path) -> None:
    extra = Row(prompt="blue", weight=0.5, range=(0.0, 0.5))
    path = styles.save_style("Blue hour", "at dusk", rows=(extra,))
    assert path.parent == folder
    found = styles.with_style(preset(("a cat", 2.0)), styles.find("blue HOUR"))
    assert rows(found) == [("a cat, at dusk", 2.0), ("blue", 0.5)] and found.rows[1] == extra
    with pytest.raises(BadPreset, match="already"):
        styles.save_style("blue hour", "x")
    with pytest.raises(MissingFile, match="there is Blue hour"):
        styles.find("ink")
    assert texts_of(preset(("bad", -1.0), ("a cat", 2.0))) == ("a cat", "bad")
    assert not_kept(preset(("bad", -1.0), ("a cat", 2.0), ("", 1.0))) == ""
    said = not_kept(preset(("a cat", 2.0), ("a dog", 2.0), ("a cat", 1.0), ("fog", 1.0)))
    assert said.endswith("the texts of rows 2, 4")


def test_more_styles_than_are_read_are_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(styles, "MAX_STYLES", 3)
    every = [{"name": f"s{at}", "prompt": "x"} for at in range(5)]
    (folder / "a.json").write_text(json.dumps(every))
    *read, last = styles.styles()
    assert [one.name for one in read] == ["s0", "s1", "s2"]
    assert last.problem == "only the first 3 styles are read; up to this file there are 5"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"\xff\xfe", "not UTF-8"),
        ("a.csv", b"a,b\n1,2\n", "no column 'name'"),
        ("a.csv", b'name,prompt\nx,"' + b"a" * 200_000 + b'"\n', "field larger"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b"[" * 100_000, "not JSON"),
        ("a.json", b"[3]", "expected a style"),
        ("a.json", json.dumps({"prompt": 3}).encode(), "no text, but 3"),
        ("a.json", json.dumps({"negative": "x" * 4001}).encode(), "negative has 4001 letters"),
        ("a.json", json.dumps({"name": "n" * 201, "text": "x"}).encode(), "name has 201 letters"),
        ("a.json", json.dumps({"rows": [{"weight": "x"}]}).encode(), "rows.0.weight"),
        ("a.json", b" " * (styles.MAX_BYTES + 1), "at most"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_is_listed_with_its_reason_and_hides_no_other(
    folder: Path, name: str, data: bytes, words: str
) -> None:
    (folder / name).write_bytes(data)
    styles.save_style("good", "fine")
    bad, good = styles.styles()
    assert words in bad.problem and good == styles.find("good")
