"""What a person says of models: one entry changes, the rest of the file stays, a wrong field ends nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.library import Library, own_words
from studio.library.own_words import say_words
from studio.share.model_names import Shelf
from studio.ui.library import models
from tests.support.studio_page import needs_starter

pytestmark = needs_starter
FOX, POLAR = "starter/lora-fox", "starter/lora-polar"


@pytest.fixture
def words(studio_home: Path) -> Path:
    models.rescan()
    studio_home.mkdir(parents=True, exist_ok=True)
    return studio_home / "model-words.json"


def test_one_wrong_field_takes_no_list_down(words: Path) -> None:
    said = {FOX: {"advised": "strong", "title": "Ink"}, POLAR: {"advised": "9999", "title": 3}}
    words.write_text(json.dumps(said))
    fox = next(one for one in models.as_signal() if one["id"] == FOX)
    assert fox["title"] == "Ink"
    assert fox.get("advised", "") == _advised(FOX)
    assert Library()[POLAR] == Library().as_found(POLAR)


def _advised(name: str) -> float | str:
    found = Library().as_found(name).advised
    return float(found) if found else ""


def test_saving_one_leaves_the_others_and_what_is_not_known(words: Path) -> None:
    others = {"other": {"title": "x" * 70, "rating": 5, "half": "\ud800"}, "version": 2}
    words.write_text(json.dumps({**others, FOX: {"rating": 4, "title": "Old"}}))
    say_words(Library().as_found(FOX), {"title": "New"})
    assert json.loads(words.read_text()) == {**others, FOX: {"rating": 4, "title": "New"}}
    say_words(Library().as_found(FOX), {"title": ""})
    assert json.loads(words.read_text()) == {**others, FOX: {"rating": 4}}
    assert Library()[FOX] == Library().as_found(FOX)


def test_lines_of_notes_stay(words: Path) -> None:
    say_words(Library().as_found(FOX), {"description": " one \r\n\r\n two   words\n"})
    assert Library()[FOX].description == "one\n\ntwo words"


def test_an_emptied_field_is_the_file_s_own(words: Path) -> None:
    found = Library().as_found(FOX)
    say_words(found, {"title": "Ink", "description": "mine", "advised": "0.5"})
    say_words(found, {"title": " ", "description": "", "advised": ""})
    assert Library()[FOX] == found
    words.write_text(json.dumps({FOX: {"title": "", "description": ""}}))
    assert Library()[FOX] == found


def test_half_a_character_and_too_much_are_refused(
    words: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Library().as_found(FOX)
    with pytest.raises(StudioError, match="title: holds half a character"):
        say_words(found, {"title": "a\ud800"})
    say_words(found, {"title": "Ink"})
    before = words.read_text()
    monkeypatch.setattr(own_words, "MAX_BYTES", 200)
    with pytest.raises(StudioError, match="would be longer"):
        say_words(found, {"title": "Ink", "description": "x" * 900})
    assert words.read_text() == before


def test_a_file_that_cannot_be_read_is_named_on_the_page(words: Path) -> None:
    assert "model-words.json" not in models.table(shared=False)
    words.write_text("{nothing")
    assert "model-words.json cannot be read" in models.table(shared=False)
    assert "model-words.json" not in models.table(shared=True)


def test_a_shared_page_keeps_its_host_s_notes_to_itself(words: Path) -> None:
    say_words(Library().as_found(FOX), {"title": "Ink", "description": "bought from Ann"})
    models.rescan()
    assert "bought from Ann" in models.table(shared=False)
    shared = models.table(shared=True)
    assert "bought from Ann" not in shared and "Ink" in shared


def test_a_renamed_model_is_found_by_its_maker_s_title_too(words: Path) -> None:
    theirs = Library().as_found(FOX).title
    say_words(Library().as_found(FOX), {"title": "My ink"})
    shelf = Shelf(Library())
    assert shelf.find("my ink", ("lora",)) == FOX
    assert shelf.find(theirs, ("lora",)) == FOX
