"""Names in sentences, and the phrases made of them."""

from __future__ import annotations

import pytest

from studio.starter.pictures import phrases, words
from studio.starter.pictures.contents import CONTENTS, HELD_OUT

NAMES = [content.name for content in CONTENTS]


def test_synonyms_belong_to_one_content_each() -> None:
    every = [word for others in words.SYNONYMS.values() for word in others]
    assert len(words.SYNONYMS) >= 200 and set(words.SYNONYMS) <= set(NAMES)
    assert len(set(every)) == len(every)
    assert {*NAMES, *every, *(content.name for content in HELD_OUT)} >= words.UNCOUNTED


@pytest.mark.parametrize(
    ("name", "article", "several"),
    [
        ("apple", "an apple", "apples"),
        ("fox", "a fox", "foxes"),
        ("fairy", "a fairy", "fairies"),
        ("monkey", "a monkey", "monkeys"),
        ("potato", "a potato", "potatoes"),
        ("maple leaf", "a maple leaf", "maple leaves"),
        ("old woman", "an old woman", "old women"),
        ("sheep", "a sheep", "sheep"),
        ("die", "a die", "dice"),
        ("bus", "a bus", "buses"),
        ("owl", "an owl", "owls"),
        ("unicorn", "a unicorn", "unicorns"),
        ("umbrella", "an umbrella", "umbrellas"),
        ("hourglass", "an hourglass", "hourglasses"),
        ("ufo", "a ufo", "ufos"),
        ("statue of liberty", "a statue of liberty", "statues of liberty"),
        ("jeans", "jeans", None),
        ("rice", "rice", None),
    ],
)
def test_articles_and_plurals(name: str, article: str, several: str | None) -> None:
    assert name in NAMES
    assert words.with_article(name) == article
    assert words.plural(name) == several


def test_further_phrases_read_right() -> None:
    assert phrases.sized("hourglass", "small") == "a small hourglass"
    assert phrases.sized("socks", "large") == "large socks"
    assert phrases.counted("mouse", "two") == "two mice"
    assert phrases.counted("milk", "two") is None
    assert phrases.related("apple", "left of", "owl") == "an apple left of an owl"
    assert phrases.wearing("pumpkin", "army helmet") == "a pumpkin wearing an army helmet"
    assert {*phrases.WEARING, *phrases.WEARERS} <= set(NAMES)
    assert not set(phrases.WEARING) & set(phrases.WEARERS)
