"""Drawings as latents: the latents are linear in the picture, so any composition is a sum of parts.

A picture is foreground + background · (1 − coverage). With z = M·picture − M·mean, the parts M·foreground and
M·coverage are found once for each drawing and placement; every combination of drawing, background and pair then
costs a few additions, and no composition ever repeats because of a cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from studio.starter.pictures.captions import random_caption
from studio.starter.pictures.contents import BACKGROUNDS, CONTENTS, STYLES, Content
from studio.starter.pictures.data import DOUBLE, SINGLE, SIZE, Pictures, place
from studio.starter.stages.patch_basis import CHANNELS, PatchBasis, patches

CELLS = SIZE // 8
PAIRED = 0.25  # share of pictures with two drawings side by side
PLACEMENTS: dict[str, tuple[tuple[float, float], int]] = {
    "single": ((SIZE / 2, SIZE / 2), SINGLE),
    "left": ((SIZE / 4, SIZE / 2), DOUBLE),
    "right": ((3 * SIZE / 4, SIZE / 2), DOUBLE),
}


@dataclass(frozen=True)
class Scene:
    """What a composed picture shows: the drawings' row numbers (one or two), their style, the background's number."""

    rows: tuple[int, ...]
    names: tuple[str, ...]
    style: str
    background: int

    def caption(self, rng: np.random.Generator) -> str:
        """A caption that names some of its parts."""
        return random_caption(self.names, self.style, list(BACKGROUNDS)[self.background], rng)


class Drawings:
    """The latents' parts of every (content, style) drawing of ``contents`` in ``styles``."""

    def __init__(
        self,
        pictures: Pictures,
        basis: PatchBasis,
        contents: Iterable[Content] = CONTENTS,
        styles: Iterable[str] = STYLES,
        placements: Iterable[str] = ("single",),
    ) -> None:
        self.entries: list[tuple[Content, str]] = []
        sources = []
        for content in contents:
            for style in styles:
                row = pictures.row(content.slug, style)
                if row is not None:
                    self.entries.append((content, style))
                    sources.append(row)
        self.by_style = {
            s: found
            for s in styles
            if (found := [i for i, (_, style) in enumerate(self.entries) if style == s])
        }
        self.basis = basis
        colours = torch.tensor(list(BACKGROUNDS.values()), dtype=torch.float32)
        self.colours = colours
        self.plain = basis.encode((colours / 127.5 - 1).view(-1, 3, 1, 1).expand(-1, 3, SIZE, SIZE))
        self.parts = {p: self._parts([pictures.rgba[r] for r in sources], p) for p in placements}

    def _parts(self, rgba: list[np.ndarray], placement: str) -> torch.Tensor:
        """Latents of the foreground and, per colour, of the coverage: (N, 4, C, 16, 16) float16."""
        (centre, size), parts = PLACEMENTS[placement], []
        for picture in rgba:
            black = place(np.zeros((SIZE, SIZE, 3), np.uint8), picture, centre, size)
            white = place(np.full((SIZE, SIZE, 3), 255, np.uint8), picture, centre, size)
            coverage = 1 - (white.astype(np.float32) - black).mean(2) / 255
            planes = torch.zeros(4, 3, SIZE, SIZE)
            planes[0] = torch.from_numpy(black).permute(2, 0, 1) / 127.5
            for channel in range(3):
                planes[1 + channel, channel] = torch.from_numpy(coverage) / 127.5
            parts.append(torch.einsum("cp,nphw->nchw", self.basis.matrix, patches(planes)).half())
        return torch.stack(parts) if parts else torch.empty(0, 4, CHANNELS, CELLS, CELLS)

    def draw(self, rng: np.random.Generator, paired: float = PAIRED) -> Scene:
        """A random scene; of a pair both drawings have the same style and differ in content."""
        style = list(self.by_style)[rng.integers(len(self.by_style))]
        rows = self.by_style[style]
        chosen = rng.choice(len(rows), 2 if rng.random() < paired else 1, replace=False)
        numbers = tuple(rows[i] for i in chosen)
        names = tuple(self.entries[i][0].name for i in numbers)
        return Scene(numbers, names, style, int(rng.integers(len(self.colours))))

    def latents(self, scenes: list[Scene]) -> torch.Tensor:
        """The scenes' latents (N, C, 16, 16), float32."""
        result = self.plain[[s.background for s in scenes]].clone()
        colours = self.colours[[s.background for s in scenes]]
        for placement, place_of in (("single", 0), ("left", 0), ("right", 1)):
            alone = placement == "single"
            at = [i for i, s in enumerate(scenes) if (len(s.rows) == 1) == alone]
            if not at:
                continue
            parts = self.parts[placement][[scenes[i].rows[place_of] for i in at]].float()
            covered = torch.einsum("nk,nkchw->nchw", colours[at], parts[:, 1:])
            result[at] += parts[:, 0] - covered
        return result
