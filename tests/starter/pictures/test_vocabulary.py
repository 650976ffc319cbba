"""What the shipped base says that it knows is what its captions are made of."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from studio.starter.pictures.captions import caption
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, HELD_OUT, STYLES
from studio.starter.pictures.phrases import COUNTS, PATTERNS, SIZES
from studio.starter.pictures.vocabulary import FILE, TITLES, vocabulary, write
from studio.starter.pictures.words import with_article


def test_the_file_names_what_the_shipped_models_were_taught() -> None:
    """The lists may be ahead of what ships: the file is written when the models are."""
    told = json.loads(FILE.read_text(encoding="utf-8"))
    names = {group["title"]: group["phrases"] for group in told["groups"]}
    judged = json.loads((FILE.parent / "judge" / "labels.json").read_text())
    contents = [name for title in TITLES.values() for name in names[title]]
    assert sorted(contents) == sorted(judged["contents"])
    assert names["Styles"] == [f"in {style} style" for style in judged["styles"]]
    assert names["Backgrounds"] == [
        f"on {with_article(one)} background" for one in judged["backgrounds"]
    ]
    assert set(contents) <= {content.name for content in CONTENTS}


def test_exporting_writes_what_the_lists_say(tmp_path: Path) -> None:
    write(tmp_path / "vocabulary.json")
    assert json.loads((tmp_path / "vocabulary.json").read_text()) == vocabulary()


def test_every_word_of_a_caption_is_known() -> None:
    found = vocabulary()
    phrases = [phrase for group in found["groups"] for phrase in group["phrases"]]
    known = {word for phrase in phrases for word in phrase.split()} | set(found["words"])
    draw = np.random.default_rng(0)
    for content in CONTENTS:
        style = str(draw.choice(list(STYLES)))
        colour = str(draw.choice(list(BACKGROUNDS)))
        for commas in (False, True):
            text = caption((content.name,), style, colour, commas=commas)
            assert set(text.replace(",", "").split()) <= known, text


def test_near_words_lead_to_known_phrases_only() -> None:
    found = vocabulary()
    phrases = {phrase for group in found["groups"] for phrase in group["phrases"]}
    assert found["near"] and all(set(near) <= phrases for near in found["near"].values())
    assert not set(found["near"]) & (phrases | set(found["words"]) | set(found["also"]))


def test_other_words_lead_to_one_content_each_and_are_nothing_else() -> None:
    found = vocabulary()
    names = {content.name for content in CONTENTS}
    assert set(found["also"].values()) <= names
    taken = {content.name for content in CONTENTS + HELD_OUT} | set(STYLES) | set(BACKGROUNDS)
    assert not set(found["also"]) & (taken | set(found["words"]) | set(found["quiet"]))
    assert found["also"]["puppy"] == found["also"]["puppies"] == "dog face"


def test_further_phrases_are_known() -> None:
    found = vocabulary()
    phrases = {phrase for group in found["groups"] for phrase in group["phrases"]}
    assert all(f"on a {pattern} background" in phrases for pattern in PATTERNS)
    words = {*SIZES, *COUNTS, *PATTERNS, "left", "right", "above", "below", "of", "wearing"}
    assert words <= set(found["words"]) and not words & set(found["quiet"])
