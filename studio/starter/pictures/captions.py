"""What captions say: content, drawing style and background, in the ways a person might write them."""

from __future__ import annotations

from collections.abc import Iterator

from studio.starter.pictures.contents import (
    BACKGROUNDS,
    CONTENTS,
    HELD_OUT,
    HELD_OUT_STYLES,
    STYLES,
)
from studio.starter.pictures.phrases import COUNTS, PATTERNS, RELATIONS, SIZES
from studio.starter.pictures.words import SYNONYMS, plural, with_article

# How often each combination of parts is named: (content, style, background).
MIXTURE: tuple[tuple[tuple[bool, bool, bool], float], ...] = (
    ((True, True, True), 0.46),
    ((True, True, False), 0.16),
    ((True, False, True), 0.12),
    ((True, False, False), 0.12),
    ((False, True, False), 0.05),
    ((False, False, True), 0.04),
    ((False, True, True), 0.05),
)


def caption(
    names: tuple[str, ...],
    style: str | None,
    background: str | None,
    articles: bool = True,
    commas: bool = False,
) -> str:
    """One caption; any part may be absent.

    >>> caption(("apple", "car"), "flat", "blue")
    'an apple and a car in flat style on a blue background'
    >>> caption(("apple",), None, "blue", articles=False, commas=True)
    'apple, blue background'
    """
    said = " and ".join(with_article(n) if articles else n for n in names)
    return joined(said, style, background, commas)


def joined(phrase: str, style: str | None, background: str | None, commas: bool = False) -> str:
    """A phrase of what is shown, with its style and background.

    >>> joined("two apples", "flat", "striped")
    'two apples in flat style on a striped background'
    """
    parts = [phrase] if phrase else []
    if style:
        parts.append(f"{style} style" if commas else f"in {style} style")
    if background:
        colour = f"{background} background"
        if not commas:
            colour = f"on {with_article(colour)}"
        parts.append(colour)
    return (", " if commas else " ").join(parts)


def corpus() -> Iterator[str]:
    """Captions with every word of the vocabulary often enough to become one token each."""
    styles, colours = list(STYLES) + list(HELD_OUT_STYLES), [*BACKGROUNDS, *PATTERNS]
    names = [c.name for c in CONTENTS + HELD_OUT]
    words = names + [word for name in names for word in (*SYNONYMS.get(name, ()), plural(name))]
    words = [word for word in words if word]
    for i, word in enumerate(words * 8):
        style, colour = styles[i % len(styles)], colours[i % len(colours)]
        yield caption((word,), style, colour)
        yield caption((word, words[(7 * i + 3) % len(words)]), style, colour, commas=True)
    for relation in (*RELATIONS, "wearing"):
        yield from [f"an apple {relation} a car"] * 8
    yield from [f"{word} apples" for word in (*COUNTS, *SIZES)] * 8
    yield from ["a photo of a thing", "a picture of a drawing, the same without any text"] * 8
