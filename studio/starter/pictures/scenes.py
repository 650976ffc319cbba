"""Scenes: which drawings a training picture shows, where, on what, and the captions that fit it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from studio.starter.pictures import layouts, phrases
from studio.starter.pictures.backdrops import EVERY
from studio.starter.pictures.captions import MIXTURE, joined, with_article
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, STYLES, Content
from studio.starter.pictures.words import SYNONYMS, plural

PATTERNED = 0.25  # share of pictures whose background is a pattern
ANOTHER_WORD = 0.25  # share of names that a synonym stands for
RELATED = 0.5  # share of pairs that say which stands left
LONGEST = 15  # words and commas; the text tower keeps the sixteen tokens after them for the layout


@dataclass(frozen=True)
class Scene:
    """What a picture shows.

    Args:
        layout: of :data:`layouts.LAYOUTS`.
        rows: the drawings' numbers, one for each different drawing.
        names: the drawings' contents, as captions name them.
        style: which all of them are drawn in.
        background: its number in :data:`backdrops.EVERY`.
    """

    layout: str
    rows: tuple[int, ...]
    names: tuple[str, ...]
    style: str
    background: int

    def caption(self, rng: np.random.Generator) -> str:
        """A caption that names some of its parts, in one of the ways of writing."""
        shares = np.array([share for _, share in MIXTURE])
        says = MIXTURE[rng.choice(len(MIXTURE), p=shares / shares.sum())][0]
        return self.says(says, rng)

    def says(self, parts: tuple[bool, bool, bool], rng: np.random.Generator) -> str:
        """A caption that names content, style and background as ``parts`` says.

        Where it would be too long it leaves the style out, or the background.
        """
        content, style, background = parts
        articles, commas = rng.random() < 0.6, rng.random() < 0.25
        said = phrase(self.layout, self.names, rng, articles) if content else ""
        colour = EVERY[self.background]
        text = joined(said, self.style if style else None, colour if background else None, commas)
        if length(text) <= LONGEST:
            return text
        style = style and not (background and rng.random() < 0.5)
        return joined(said, self.style if style else None, None if style else colour, commas)


def length(text: str) -> int:
    """Words and commas of a caption."""
    return len(text.split()) + text.count(",")


def phrase(
    layout: str, names: tuple[str, ...], rng: np.random.Generator, articles: bool = True
) -> str:
    """What the drawings of a layout are called: *a small apple*, *an apple above a car* …"""
    said = [another(name, rng) for name in names]
    one = [with_article(word) if articles else word for word in said]
    several = phrases.counted(said[0], layout) if layout in phrases.COUNTS else None
    if several:
        return several
    match layout:
        case "small" | "large":
            return phrases.sized(said[0], layout) if articles else f"{layout} {said[0]}"
        case "wearing":
            return f"{one[0]} wearing {one[1]}"
        case "pair" if rng.random() < RELATED:
            relation, back = "left of", "right of"
        case "stacked":
            relation, back = "above", "below"
        case _:
            return " and ".join(one)
    if rng.random() < 0.5:
        return f"{one[0]} {relation} {one[1]}"
    return f"{one[1]} {back} {one[0]}"


def another(name: str, rng: np.random.Generator) -> str:
    """The name, or now and then another word for it."""
    words = SYNONYMS.get(name, ())
    return words[rng.integers(len(words))] if words and rng.random() < ANOTHER_WORD else name


class Scenes:
    """Draws scenes of the drawings that there are.

    Args:
        there: (slug, style) of every drawing that can be shown.
    """

    def __init__(
        self,
        there: set[tuple[str, str]],
        contents: Iterable[Content] = CONTENTS,
        styles: Iterable[str] = STYLES,
    ) -> None:
        self.entries = [
            (content, style)
            for content in contents
            for style in styles
            if (content.slug, style) in there
        ]
        self.by_style: dict[str, list[int]] = {}
        for number, (_, style) in enumerate(self.entries):
            self.by_style.setdefault(style, []).append(number)

    def draw(self, rng: np.random.Generator, layout: str | None = None) -> Scene:
        """A random scene: drawings of one style, all different; or one of this ``layout``."""
        style = list(self.by_style)[rng.integers(len(self.by_style))]
        shares = layouts.SHARES
        layout = layout or list(shares)[rng.choice(len(shares), p=list(shares.values()))]
        rows = self._rows(layout, style, rng)
        if not rows:
            layout, rows = "single", self._rows("single", style, rng)
        plain, patterns = len(BACKGROUNDS), len(phrases.PATTERNS)
        patterned = rng.random() < PATTERNED
        background = plain + rng.integers(patterns) if patterned else rng.integers(plain)
        names = tuple(self.entries[row][0].name for row in rows)
        return Scene(layout, rows, names, style, int(background))

    def _rows(self, layout: str, style: str, rng: np.random.Generator) -> tuple[int, ...]:
        rows = self.by_style[style]
        name = {row: self.entries[row][0].name for row in rows}
        match layout:
            case "pair" | "stacked":
                sets = [rows, rows]
            case "two" | "three":
                sets = [[row for row in rows if plural(name[row])]]  # what can be counted
            case "wearing":
                sets = [
                    [row for row in rows if name[row] in allowed]
                    for allowed in (phrases.WEARERS, phrases.WEARING)
                ]
            case _:
                sets = [rows]
        if not all(sets) or (layout in ("pair", "stacked") and len(rows) < 2):
            return ()
        chosen = tuple(int(one[rng.integers(len(one))]) for one in sets)
        return chosen if len(set(chosen)) == len(chosen) else self._rows(layout, style, rng)
