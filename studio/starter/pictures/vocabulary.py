"""What the shipped base knows, for the page: ``assets/starter/vocabulary.json``.

Written by stage `export`, from the lists that the pictures and captions are made of.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.files import write_atomically
from studio.home import REPOSITORY
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, STYLES
from studio.starter.pictures.phrases import COUNTS, PATTERNS, RELATIONS, SIZES
from studio.starter.pictures.words import SYNONYMS, plural, with_article

FILE = REPOSITORY / "assets" / "starter" / "vocabulary.json"
TITLES = {"face": "Faces", "animal": "Animals", "object": "Things"}
WORDS = ("a", "an", "and", "in", "on", "style", "background", "of", "wearing")  # between names
# Small words that people write; they are in no caption and do no harm.
QUIET = (
    *("the", "with", "at", "by", "to", "for", "from", "is", "it", "its", "this", "that"),
    *("his", "her", "as", "or", "no", "not", "one", "some", "very"),
)
# What stands nearest in meaning to words that people try first.
NEAR = {
    "animal": ("cat", "dog", "lion"),
    "castle": ("pagoda", "church", "house"),
    "castles": ("pagoda", "church", "house"),
    "child": ("boy", "girl", "baby"),
    "city": ("building", "house", "tower"),
    "drink": ("coffee", "tea", "soda"),
    "face": ("smiling face", "man", "woman"),
    "flower": ("rose", "tulip", "sunflower"),
    "food": ("pizza", "hamburger", "taco"),
    "forest": ("tree", "pine tree"),
    "fruit": ("apple", "banana", "pear"),
    "grey": ("on a gray background",),
    "happy": ("smiling face", "laughing face", "starry face"),
    "hat": ("top hat", "sun hat", "cap"),
    "insect": ("ant", "beetle", "bee"),
    "mermaid": ("fairy", "fish"),
    "monster": ("ogre", "troll", "zombie"),
    "night": ("moon", "star", "on a black background"),
    "ocean": ("wave", "whale", "on a blue background"),
    "person": ("man", "woman"),
    "photo": ("camera", "in glossy style"),
    "portrait": ("man", "woman", "smiling face"),
    "sad": ("sad face", "crying face"),
    "sea": ("wave", "whale", "on a blue background"),
    "smiling": ("smiling face", "laughing face"),
    "space": ("rocket", "planet", "astronaut"),
    "vehicle": ("car", "bus", "truck"),
    "witch": ("wizard", "fairy"),
}


def vocabulary() -> dict[str, Any]:
    """Groups of phrases, the words between them, and near ones; all as captions write them.

    ``alone``: of phrases of these groups a picture has one, or two that one of ``joined`` stands between.
    """
    groups = [
        {"title": title, "phrases": sorted(c.name for c in CONTENTS if c.group == group)}
        for group, title in TITLES.items()
    ]
    groups.append({"title": "Styles", "phrases": [f"in {style} style" for style in STYLES]})
    grounds = [f"on {with_article(ground)} background" for ground in (*BACKGROUNDS, *PATTERNS)]
    groups.append({"title": "Backgrounds", "phrases": grounds})
    known = {phrase for group in groups for phrase in group["phrases"]}
    near = {
        word: [phrase for phrase in phrases if phrase in known] for word, phrases in NEAR.items()
    }
    between = {*SIZES, *COUNTS, *" ".join(RELATIONS).split()}
    return {
        "groups": groups,
        "alone": {"groups": [*TITLES.values()], "joined": [*RELATIONS, "wearing"]},
        "also": also(),
        "words": sorted({*WORDS, *STYLES, *BACKGROUNDS, *PATTERNS, *between}),
        "quiet": sorted(QUIET),
        "near": {word: phrases for word, phrases in near.items() if phrases},
    }


def also() -> dict[str, str]:
    """Other words with the content that each means: synonyms, and plurals that are more than an s.

    >>> also()["puppy"], also()["mice"], also()["puppies"]
    ('dog face', 'mouse', 'dog face')
    """
    names = {content.name for content in CONTENTS}
    found = {word: name for name, words in SYNONYMS.items() for word in words}
    for word, name in [(name, name) for name in names] + list(found.items()):
        several = plural(word)
        if several and several not in (word, f"{word}s") and several not in names:
            found.setdefault(several, name)
    return dict(sorted(found.items()))


def as_text() -> str:
    """The file's contents."""
    return json.dumps(vocabulary(), ensure_ascii=False, indent=1) + "\n"


def write(file: Path) -> None:
    """Write it, when models that were taught it are exported."""
    write_atomically(file, as_text().encode())
