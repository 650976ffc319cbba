"""Wildcards that are written on the page: what is kept, what it chooses, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.preset.variants import names
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


def test_the_page_writes_them_where_nobody_shares_it(studio_home: Path) -> None:
    assert wildcard_keep({"name": "hat", "text": "a\nb"}) == {"count": 2}
    assert wildcard_text({"name": "hat"}) == {"text": "a\nb\n"}
    assert "letters" in wildcard_keep({"name": ".."})["error"]
    assert "error" in wildcard_text(None)
    served = [
        {function.__name__ for function in GuidanceStack(keeps=keeps).server_fns}
        for keeps in (True, False)
    ]
    assert served[0] - served[1] == {"wildcard_text", "wildcard_keep"}
