"""What a person says of models here comes before what their files say, and changes none of these."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.library import Library
from studio.library.own_words import fields_of, say_words
from studio.ui.library import models
from studio.ui.library.wording import model_words
from tests.support.studio_page import needs_starter

pytestmark = needs_starter
FOX = "starter/lora-fox"


@pytest.fixture(autouse=True)
def home(studio_home: Path) -> Path:
    models.rescan()
    return studio_home


def test_what_is_said_of_a_model_is_found_again_and_its_file_says_the_rest(home: Path) -> None:
    found = Library().as_found(FOX)
    said = {"title": "My fox", "trigger": " fx,  drawn ", "advised": "0.70", "description": "nice"}
    say_words(found, said)
    entry = Library()[FOX]
    assert (entry.title, entry.trigger, entry.advised) == ("My fox", "fx, drawn", "0.7")
    assert entry.description == "nice"
    assert Library().as_found(FOX) == found
    say_words(found, {**said, "title": found.title, "trigger": ""})  # none, though its file has one
    assert (Library()[FOX].title, Library()[FOX].trigger) == (found.title, "")
    assert "title" not in json.loads((home / "model-words.json").read_text())[FOX]
    say_words(found, {name: getattr(found, name) for name in fields_of(found)})
    assert Library()[FOX] == found
    assert json.loads((home / "model-words.json").read_text()) == {}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"title": "x" * 61}, "title: has 61 letters; at most 60"),
        ({"advised": "much"}, "Strength to begin with: a number from .* got much"),
        ({"advised": "nan"}, "Strength to begin with: a number from"),
        ({"advised": "1e9"}, "Strength to begin with: a number from"),
    ],
)
def test_what_cannot_be_said_is_refused(said: dict[str, str], words: str) -> None:
    with pytest.raises(StudioError, match=words):
        say_words(Library().as_found(FOX), said)
    assert Library()[FOX] == Library().as_found(FOX)


def test_a_learned_word_stays_the_one_that_it_is() -> None:
    word = Library()["starter/word-hero"]
    say_words(word, {"title": "Hero", "trigger": "other", "advised": "2"})
    said = Library()["starter/word-hero"]
    assert (said.title, said.trigger, said.advised) == ("Hero", word.trigger, word.advised)


def test_a_file_that_cannot_be_read_is_not_written_over(home: Path) -> None:
    (home / "model-words.json").write_text("{nothing")
    assert Library()[FOX] == Library().as_found(FOX)
    with pytest.raises(StudioError, match=r"model-words\.json: cannot be read"):
        say_words(Library()[FOX], {"title": "x"})
    assert (home / "model-words.json").read_text() == "{nothing"
    (home / "model-words.json").write_text('{"starter/lora-fox": {"title": 3, "x": "y"}, "a": 1}')
    assert Library()[FOX] == Library().as_found(FOX)


def test_the_page_reads_and_keeps_it() -> None:
    fields = {one["name"]: one for one in model_words({"id": FOX})["fields"]}
    assert fields["trigger"]["value"] == "fx"
    assert fields["description"]["longest"] == 1000
    assert model_words({"id": FOX, "said": {"title": "Ink"}}) == {"kept": True}
    models.rescan()
    assert model_words({"id": FOX})["fields"][0]["value"] == "Ink"
    assert "is not in the library" in model_words({"id": "nobody"})["error"]
    assert "at most 60" in model_words({"id": FOX, "said": {"title": "x" * 99}})["error"]
    assert "data-words" in models.table(shared=False)
    assert "data-words" not in models.table(shared=True)
