"""Tags of a person's own lists: what is found, in which order, and how it is written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from studio.preset import tag_files
from studio.preset.prompt_changes import changes
from studio.preset.prompts import BREAK, split_prompt, weighted_spans
from studio.preset.tag_files import Tag, find, known
from studio.preset.tag_lists import Listed, tags_in
from studio.preset.variants import varies
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


def test_one_that_is_called_just_so_comes_first(folder: Path) -> None:
    (folder / "own.csv").write_text(
        'rare_hat,0,90000,"miku"\nmiku,4,5\nmiku_hat,0,99000\n', "utf-8"
    )
    assert find("miku", most=3) == [
        Tag("miku"),
        Tag("hatsune miku", "miku"),
        Tag("rare hat", "miku"),
    ]
    assert find("miku")[3:] == [Tag("miku hat"), Tag(r"hatsune miku \(cosplay\)")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (r"miku_\(cosplay\)", r"miku \(cosplay\)"),
        ("pc-98_[x]", r"pc-98 \[x\]"),
        ("{x}_(y)", r"\{x\} \(y\)"),
        ("AND_hat", "and hat"),
        ("BREAK", "break"),
        ("(o)_(o)", r"\(o\)_\(o\)"),
        ("<|>_<|>", "<|>_<|>"),
        ("||_||", "||_||"),
        ("^_^", "^_^"),
        (r"\m/", r"\m/"),
        ("__", r"\__"),
        ("re:zero", "re:zero"),
    ],
)
def test_a_tag_is_read_as_the_words_it_is(name: str, text: str) -> None:
    assert tag_files.written(name) == text == tag_files.written(text)
    words = text.replace("\\m", "M").replace("\\", "").replace("M", "\\m")
    assert weighted_spans(text) == [(words, 1.0)] and split_prompt(text) == [(text, 1.0)]
    assert not varies(text) and changes(text) == () and not BREAK.search(text)


def test_lists_are_read_once_however_many_ask_at_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def slowly(path: Path, *given: Any) -> Iterator[Listed]:
        read.append(path)
        time.sleep(0.05)
        return tags_in(path, *given)

    monkeypatch.setattr(tag_files, "tags_in", slowly)
    with ThreadPoolExecutor(5) as people:
        answers = list(people.map(find, ["top h"] * 5))
    assert answers == [[Tag("top hat")]] * 5 and len(read) == 1


def test_a_long_list_is_not_gone_through_name_by_name(folder: Path) -> None:
    names = [f"{['red', 'blue', 'green'][n % 3]}_hat_{n}" for n in range(60_000)]
    (folder / "danbooru.csv").write_text("\n".join(f"{name},0,{n}" for n, name in enumerate(names)))
    assert known() == (60_000, "")

    def took(ask: Callable[[], Any]) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            ask()
            times.append(time.process_time() - start)
        return min(times)

    one_by_one = took(lambda: [name for name in names if name.startswith("t 5")])
    assert took(lambda: find("t 59999x")) < one_by_one
    assert find("t_5999")[0] == Tag("green hat 59999") and len(find("red hat 5")) == 8


def test_each_list_that_is_not_read_as_it_is_written_is_named(folder: Path) -> None:
    (folder / "a.csv").write_bytes("café_au_lait,0,5\n".encode("cp1252"))
    (folder / "b.txt").write_text("a\x07bell\nred\ufffdhat\n" + "x" * 300, "utf-8")
    answer = tags_like({"typed": "caf"})
    assert answer["tags"] == [["café au lait", ""]]
    assert answer["problem"].split("\n") == [
        "tags 'a.csv' are no UTF-8 text; they are read as Windows-1252",
        "tags 'b.txt': names that are too long or no text are left out: 3",
    ]
