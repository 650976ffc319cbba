"""What the shipped base knows, for the page: ``assets/starter/vocabulary.json``.

Written by ``python -m studio.starter.pictures.vocabulary`` from the lists that the pictures and
captions are made of; a test compares the two.
"""

from __future__ import annotations

import json
from typing import Any

from studio.files import write_atomically
from studio.home import REPOSITORY
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, STYLES

FILE = REPOSITORY / "assets" / "starter" / "vocabulary.json"
TITLES = {"face": "Faces", "animal": "Animals", "object": "Things"}
WORDS = ("a", "an", "and", "in", "on", "style", "background")  # that captions are put together with
# Small words that people write; they are in no caption and do no harm.
QUIET = (
    *("the", "of", "with", "at", "by", "to", "for", "from", "is", "it", "its", "this", "that"),
    *("his", "her", "as", "or", "no", "not", "one", "two", "three", "some", "very"),
)
# What stands nearest in meaning to words that people try first.
NEAR = {
    "animal": ("cat face", "dog face", "lion"),
    "beach": ("palm tree", "sailboat"),
    "bird": ("owl", "duck", "parrot"),
    "boat": ("sailboat",),
    "boy": ("astronaut", "policeman"),
    "castle": ("church", "house"),
    "castles": ("church", "house"),
    "city": ("house", "church"),
    "dragon": ("ogre", "turtle"),
    "flower": ("rose", "tulip", "sunflower"),
    "food": ("pizza", "hamburger", "taco"),
    "forest": ("pine tree", "evergreen tree"),
    "fruit": ("apple", "banana", "pear"),
    "girl": ("astronaut", "angel face"),
    "grey": ("on a gray background",),
    "happy": ("laughing face", "starry face"),
    "king": ("crown", "lion"),
    "kitten": ("cat face",),
    "man": ("policeman", "santa", "astronaut"),
    "monster": ("ogre", "ghost", "alien"),
    "night": ("moon", "star", "on a black background"),
    "ocean": ("whale", "sailboat", "on a blue background"),
    "person": ("astronaut", "policeman"),
    "photo": ("camera", "in glossy style"),
    "plane": ("airplane",),
    "portrait": ("cowboy face", "nerd face"),
    "puppy": ("dog face",),
    "queen": ("crown",),
    "sad": ("crying face",),
    "sea": ("whale", "sailboat", "on a blue background"),
    "ship": ("sailboat", "rocket", "ufo"),
    "sky": ("cloud", "sun", "on a blue background"),
    "smiling": ("laughing face", "sunglasses face"),
    "space": ("rocket", "planet", "astronaut"),
    "spaceship": ("rocket", "ufo"),
    "tree": ("pine tree", "palm tree"),
    "vehicle": ("car", "bus", "truck"),
    "wizard": ("santa", "top hat"),
    "woman": ("astronaut", "policeman"),
}


def vocabulary() -> dict[str, Any]:
    """Groups of phrases, the words between them, and near ones; all as captions write them."""
    groups = [
        {"title": title, "phrases": sorted(c.name for c in CONTENTS if c.group == group)}
        for group, title in TITLES.items()
    ]
    groups.append({"title": "Styles", "phrases": [f"in {style} style" for style in STYLES]})
    groups.append(
        {"title": "Backgrounds", "phrases": [f"on a {colour} background" for colour in BACKGROUNDS]}
    )
    known = {phrase for group in groups for phrase in group["phrases"]}
    near = {
        word: [phrase for phrase in phrases if phrase in known] for word, phrases in NEAR.items()
    }
    return {
        "groups": groups,
        "words": sorted({*WORDS, *STYLES, *BACKGROUNDS}),
        "quiet": sorted(QUIET),
        "near": {word: phrases for word, phrases in near.items() if phrases},
    }


def as_text() -> str:
    """The file's contents."""
    return json.dumps(vocabulary(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    write_atomically(FILE, as_text().encode())
