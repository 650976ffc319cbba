"""Further phrases of captions: patterned backgrounds, sizes, counts, relations, and what is worn.

The lists here are what pictures are made by and what captions say; `contents` has the plain backgrounds.
"""

from __future__ import annotations

from studio.starter.pictures.words import UNCOUNTED, plural, with_article

# Backgrounds that are no plain colour; sunset is an upright gradient, sky one with two white clouds.
PATTERNS = ("striped", "dotted", "checkered", "sunset", "sky")
SIZES = ("small", "large")
COUNTS = {"two": 2, "three": 3}
RELATIONS = ("left of", "right of", "above", "below")

# Contents that can be put on a head, and contents that are drawn as a head from the front, bare above.
WEARING = ("crown", "top hat", "graduation cap", "cap", "sun hat", "helmet", "army helmet")
WEARERS = (
    *("sunglasses face", "heart eyes face", "laughing face", "crying face", "angry face"),
    *("sleeping face", "tongue face", "mask face", "robot", "alien", "skull", "sick face", "hot face"),
    *("cold face", "starry face", "money face", "nerd face", "scared face", "smiling face", "sad face"),
    *("vomiting face", "zipper face", "swearing face", "kissing face", "dizzy face", "hugging face"),
    *("cat face", "dog face", "lion", "frog", "panda", "fox", "pig", "monkey", "tiger", "koala", "bear"),
    *("baby", "boy", "girl", "man", "woman", "old man", "old woman", "pumpkin"),
)  # fmt: skip


def sized(name: str, size: str) -> str:
    """A content of a size.

    >>> sized("apple", "small"), sized("jeans", "large")
    ('a small apple', 'large jeans')
    """
    return f"{size} {name}" if name in UNCOUNTED else with_article(f"{size} {name}")


def counted(name: str, count: str) -> str | None:
    """Several of a content, ``None`` where it is not counted.

    >>> counted("apple", "two"), counted("fox", "three"), counted("jeans", "two")
    ('two apples', 'three foxes', None)
    """
    several = plural(name)
    return several and f"{count} {several}"


def related(name: str, relation: str, other: str) -> str:
    """Where one content stands to another.

    >>> related("apple", "left of", "car"), related("apple", "above", "car")
    ('an apple left of a car', 'an apple above a car')
    """
    return f"{with_article(name)} {relation} {with_article(other)}"


def wearing(name: str, worn: str) -> str:
    """Someone with something on the head.

    >>> wearing("cat face", "crown")
    'a cat face wearing a crown'
    """
    return f"{with_article(name)} wearing {with_article(worn)}"
