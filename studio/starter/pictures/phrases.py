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


def named(name: str, articles: bool = True) -> str:
    """A content with its article, or as it stands."""
    return with_article(name) if articles else name


def sized(name: str, size: str, articles: bool = True) -> str:
    """A content of a size.

    >>> sized("apple", "small"), sized("jeans", "large"), sized("apple", "large", articles=False)
    ('a small apple', 'large jeans', 'large apple')
    """
    return named(f"{size} {name}", articles and name not in UNCOUNTED)


def counted(name: str, count: str) -> str | None:
    """Several of a content, ``None`` where it is not counted.

    >>> counted("apple", "two"), counted("fox", "three"), counted("jeans", "two")
    ('two apples', 'three foxes', None)
    """
    several = plural(name)
    return several and f"{count} {several}"


def related(name: str, relation: str, other: str, articles: bool = True) -> str:
    """Where one content stands to another.

    >>> related("apple", "left of", "car"), related("apple", "above", "car", articles=False)
    ('an apple left of a car', 'apple above car')
    """
    return f"{named(name, articles)} {relation} {named(other, articles)}"


def wearing(name: str, worn: str, articles: bool = True) -> str:
    """Someone with something on the head.

    >>> wearing("cat face", "crown")
    'a cat face wearing a crown'
    """
    return related(name, "wearing", worn, articles)
