"""Wildcards that are written on the page: what is kept, what it chooses, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.preset.variants import _WILD, names
from studio.preset.variants import text_of as chosen
from studio.preset.wildcard_files import keep, text_of
from studio.ui.editor.stack import GuidanceStack
from studio.ui.editor.wildcards import wildcard_keep, wildcard_text


def test_what_is_written_is_chosen_from_and_read_again(studio_home: Path) -> None:
    assert text_of("hats/straw") == ""
    assert keep("hats/straw", "# of summer\r\n a boater \n\npanama") == 2
    assert names() == ["hats/straw"]
    assert {chosen("__hats/straw__", seed) for seed in range(20)} == {"a boater", "panama"}
    assert text_of("hats/straw") == "# of summer\na boater\n\npanama\n"
    assert keep("hats/straw", "trilby") == 1
    assert chosen("__hats/straw__", 3) == "trilby"
    assert [file.name for file in (studio_home / "wildcards/hats").iterdir()] == ["straw.txt"]


@pytest.mark.parametrize(
    "name", ["", "../out", "a/../../b", "/etc/x", ".hidden", "a*", "a__b", "a_", "a b", "x" * 201]
)
def test_no_other_file_is_written(studio_home: Path, name: str) -> None:
    for ask in (text_of, lambda one: keep(one, "x")):
        with pytest.raises(StudioError, match="letters, digits") as caught:
            ask(name)
        assert caught.value.field == "wildcard"
    assert not [*studio_home.rglob("*")]


def test_what_stands_elsewhere_or_holds_nothing_is_refused(studio_home: Path) -> None:
    folder = studio_home / "wildcards"
    folder.mkdir(parents=True)
    (folder / "table.yaml").write_text("cap: [red, blue]\n")
    (folder / "odd.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudioError, match="stands in a file of several"):
        keep("cap", "green")
    with pytest.raises(StudioError, match="is no text in UTF-8"):
        keep("odd", "green")
    with pytest.raises(StudioError, match="holds no choice"):
        keep("new", "# nothing\n \n")
    assert sorted(file.name for file in folder.iterdir()) == ["odd.txt", "table.yaml"]


def test_what_has_changed_meanwhile_is_not_written_over(studio_home: Path) -> None:
    folder = studio_home / "wildcards"
    assert keep("hat", "cap", before="") == 1
    (folder / "hat.txt").write_text("bonnet\n")
    with pytest.raises(StudioError, match="has changed since you opened it") as caught:
        keep("hat", "cap\nfez", before="cap\n")
    assert caught.value.field == "wildcard"
    assert "has changed" in wildcard_keep({"name": "hat", "text": "x", "before": "cap\n"})["error"]
    assert (folder / "hat.txt").read_text() == "bonnet\n"
    assert wildcard_keep({"name": "hat", "text": "x", "before": "bonnet\n"}) == {"count": 1}


def test_lines_are_those_that_are_chosen_from(studio_home: Path) -> None:
    file = studio_home / "wildcards" / "hat.txt"
    written = "a\x0cb\nc\u2028d\re\x85f"
    assert keep("hat", written) == 3
    assert {chosen("__hat__", seed) for seed in range(40)} == {"a\x0cb", "c\u2028d", "e\x85f"}
    file.write_bytes("\ufeffcap\n".encode())
    assert text_of("hat") == "cap\n"


def test_a_link_stays_one_and_a_long_name_is_refused(studio_home: Path, tmp_path: Path) -> None:
    folder, elsewhere = studio_home / "wildcards", tmp_path / "mine.txt"
    folder.mkdir(parents=True)
    elsewhere.write_text("cap\n")
    (folder / "hat.txt").symlink_to(elsewhere)
    assert keep("hat", "bonnet", before="cap\n") == 1
    assert (folder / "hat.txt").is_symlink() and elsewhere.read_text() == "bonnet\n"
    for ask in (text_of, lambda one: keep(one, "x")):
        with pytest.raises(StudioError, match="is too long for a file") as caught:
            ask("\u0639" * 200)
        assert caught.value.field == "wildcard"


def test_the_page_finds_the_same_names() -> None:
    """``tests/ui/static/wildcard.test.mjs`` holds the page's answers against the same cases."""
    cases = json.loads((Path(__file__).parents[1] / "ui/static/wildcards.json").read_text("utf-8"))
    for prompt, found in cases:
        assert [*dict.fromkeys(_WILD.findall(prompt))] == found, prompt


def test_the_page_writes_them_where_nobody_shares_it(studio_home: Path) -> None:
    assert wildcard_keep({"name": "hat", "text": "a\nb"}) == {"count": 2}
    assert wildcard_text({"name": "hat"}) == {"text": "a\nb\n"}
    assert "letters" in wildcard_keep({"name": ".."})["error"]
    assert "error" in wildcard_text(None)
    served = [
        {function.__name__ for function in GuidanceStack(keeps=keeps).server_fns}
        for keeps in (True, False)
    ]
    assert served[0] - served[1] == {
        *("wildcard_text", "wildcard_keep", "model_words", "style_words", "bring_back")
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_a_file_that_was_brought_keeps_its_letters(studio_home: Path, encoding: str) -> None:
    folder = studio_home / "wildcards/alt"
    folder.mkdir(parents=True)
    (folder / "farbe.txt").write_bytes("grün\r\n# so\r\n schön\r\n".encode(encoding))
    assert {chosen("__alt/farbe__", seed) for seed in range(20)} == {"grün", "schön"}
    assert {chosen("__alt/*__", seed) for seed in range(20)} == {"grün", "schön"}
    assert "grün" in text_of("alt/farbe")
    assert keep("alt/farbe", "rötlich") == 1
    assert chosen("__alt/farbe__", 1) == "rötlich"
