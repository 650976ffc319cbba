"""Batches for CLIP: pictures of 64 pixels and captions, made hard to tell apart on purpose.

Half of the batches share one background, and the same content in other styles is among the negatives, so that
the towers must tell contents and styles apart and not only colours.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from transformers import CLIPTokenizer

from studio.starter.pictures.backdrops import EVERY, backdrop
from studio.starter.pictures.captions import caption
from studio.starter.pictures.contents import (
    CONTENTS,
    HELD_OUT,
    HELD_OUT_STYLES,
    HERO_SLUG,
    STYLES,
    Content,
)
from studio.starter.pictures.data import Pictures, place
from studio.starter.stages.tokenizer import MAX_TOKENS

IMAGE = 64
# Every word a caption can hold: contents, styles, backgrounds.
PARTS: tuple[list[str], list[str], list[str]] = (
    [c.name for c in CONTENTS + HELD_OUT],
    [*STYLES, *HELD_OUT_STYLES],
    list(EVERY),
)


def numbers_of(content: Content, style: str, colour: str) -> list[int]:
    """Where a picture's parts stand in `PARTS`."""
    return [p.index(word) for p, word in zip(PARTS, (content.name, style, colour), strict=True)]


class Sampler:
    """Draws contrastive batches of pictures (N, 64, 64, 3) uint8 and captions."""

    def __init__(self, pictures: Pictures, rng: np.random.Generator) -> None:
        self.rng = rng
        self.colours = list(EVERY)
        self.contents = [c for c in CONTENTS + HELD_OUT if c.slug != HERO_SLUG]
        self.small: dict[tuple[str, str], np.ndarray] = {}
        for content in self.contents:
            for style in (*STYLES, *HELD_OUT_STYLES):
                row = pictures.row(content.slug, style)
                if row is not None:
                    picture = (
                        Image.fromarray(pictures.rgba[row]).convert("RGBa").resize((IMAGE, IMAGE))
                    )
                    self.small[content.slug, style] = np.asarray(picture.convert("RGBA"))

    def styles_of(self, content: Content) -> list[str]:
        """The styles this content is drawn in."""
        return [s for s in (*STYLES, *HELD_OUT_STYLES) if (content.slug, s) in self.small]

    def picture(self, content: Content, style: str, colour: str) -> np.ndarray:
        """The content on a background at a random place: (64, 64, 3) uint8."""
        size = int(self.rng.integers(52, 63))
        x, y = self.rng.uniform(30, 34, 2)
        return place(backdrop(colour, IMAGE), self.small[content.slug, style], (x, y), size)

    def pictures(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """``count`` pictures of any drawing on any background, and their parts' numbers (count, 3) in `PARTS`."""
        drawn, numbers = [], []
        keys = [(c, s) for c in self.contents for s in self.styles_of(c)]
        for i in self.rng.choice(len(keys), count):
            (content, style), colour = keys[i], self.colours[self.rng.integers(len(self.colours))]
            drawn.append(self.picture(content, style, colour))
            numbers.append(numbers_of(content, style, colour))
        return np.stack(drawn), np.array(numbers)

    def batch(self, count: int) -> tuple[np.ndarray, list[str], np.ndarray]:
        """``count`` pictures, captions, and their parts' numbers (count, 3) in `PARTS`.

        No two captions fit the same picture.
        """
        rng, triples = self.rng, []
        kind = rng.random()
        per_content = 3 if kind < 0.5 else 1 if kind < 0.75 else 4
        one = self.colours[rng.integers(len(self.colours))] if rng.random() < 0.5 else None
        for i in rng.permutation(len(self.contents))[: count // per_content]:
            content = self.contents[i]
            styles = self.styles_of(content)
            styles = [styles[j] for j in rng.permutation(len(styles))[:per_content]]
            triples += [
                (content, s, one or self.colours[rng.integers(len(self.colours))]) for s in styles
            ]
        names_style, names_colour = per_content > 1 or rng.random() < 0.5, rng.random() < 0.6
        texts = []
        for content, style, colour in triples:
            articles, commas = rng.random() < 0.6, rng.random() < 0.25
            texts.append(
                caption(
                    (content.name,),
                    style if names_style else None,
                    colour if names_colour else None,
                    articles,
                    commas,
                )
            )
        pictures = np.stack([self.picture(*t) for t in triples])
        return pictures, texts, np.array([numbers_of(*t) for t in triples])


def encode_texts(tokenizer: CLIPTokenizer, texts: list[str]) -> torch.Tensor:
    """Token ids (N, 32), padded with the end token."""
    return tokenizer(
        texts, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
    ).input_ids
