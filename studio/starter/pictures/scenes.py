"""Scenes: which drawings a training picture shows, where, on what, and the captions that fit it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from studio.starter.pictures import layouts, phrases
from studio.starter.pictures.backdrops import EVERY
from studio.starter.pictures.captions import MIXTURE, joined
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
    match layout:
        case "two" | "three":
            several = phrases.counted(said[0], layout) or phrases.counted(names[0], layout)
            return several or phrases.named(said[0], articles)
        case "small" | "large":
            return phrases.sized(said[0], layout, articles)
        case "wearing":
            return phrases.wearing(said[0], said[1], articles)
        case "pair" if rng.random() < RELATED:
            relation, back = "left of", "right of"
        case "stacked":
            relation, back = "above", "below"
        case _:
            return " and ".join(phrases.named(word, articles) for word in said)
    if rng.random() < 0.5:
        return phrases.related(said[0], relation, said[1], articles)
    return phrases.related(said[1], back, said[0], articles)


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
        # Found once: a batch draws hundreds of scenes.
        self._among = {
            (style, layout): self._allowed(rows, layout)
            for style, rows in self.by_style.items()
            for layout in layouts.NAMES
        }

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
        """A drawing for each part of the layout, all different; none where there are too few."""
        sets = self._among[style, layout]
        while sets:
            chosen = tuple(int(one[rng.integers(len(one))]) for one in sets)
            if len(set(chosen)) == len(chosen):
                return chosen
        return ()

    def _allowed(self, rows: list[int], layout: str) -> tuple[list[int], ...]:
        """For each part of the layout, the drawings of a style that it may show; empty where there
        are too few."""
        name = {row: self.entries[row][0].name for row in rows}
        match layout:
            case "pair" | "stacked":
                sets = (rows, rows) if len(rows) > 1 else ()
            case "two" | "three":
                sets = ([row for row in rows if plural(name[row])],)
            case "wearing":
                heads, hats = phrases.WEARERS, phrases.WEARING
                sets = tuple([row for row in rows if name[row] in some] for some in (heads, hats))
            case _:
                sets = (rows,)
        return sets if all(sets) else ()
