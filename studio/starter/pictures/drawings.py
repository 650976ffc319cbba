"""Drawings on a device: any number of scenes composed at once, as pictures or as latents."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from studio.starter.pictures import layouts
from studio.starter.pictures.backdrops import EVERY, backdrop
from studio.starter.pictures.data import SIZE, Pictures
from studio.starter.pictures.scenes import Scene, Scenes
from studio.starter.stages.patch_basis import PatchBasis


@dataclass(frozen=True)
class SceneBatch:
    """Scenes as numbers: ``layouts`` (N,), ``rows`` (N, 2) with −1 where there is none, ``backgrounds`` (N,)."""

    layouts: np.ndarray
    rows: np.ndarray
    backgrounds: np.ndarray

    @classmethod
    def of(cls, scenes: list[Scene]) -> SceneBatch:
        """The scenes' numbers."""
        return cls(
            np.array([layouts.NAMES.index(scene.layout) for scene in scenes], np.int64),
            np.array([(*scene.rows, -1)[:2] for scene in scenes], np.int64).reshape(-1, 2),
            np.array([scene.background for scene in scenes], np.int64),
        )


class Drawings:
    """Every drawing of ``scenes`` at every edge that a layout asks for, on ``device``."""

    def __init__(
        self,
        pictures: Pictures,
        basis: PatchBasis,
        scenes: Scenes,
        device: torch.device | None = None,
    ) -> None:
        self.scenes, self.device = scenes, device or torch.device("cpu")
        self.basis = PatchBasis(basis.matrix.to(self.device), basis.mean.to(self.device))
        sources = [
            pictures.rgba[pictures.row(content.slug, style) or 0]
            for content, style in scenes.entries
        ]
        self.sprites = {edge: _scaled(sources, edge).to(self.device) for edge in layouts.EDGES}
        plain = np.stack([backdrop(name, SIZE) for name in EVERY])
        self.backdrops = torch.from_numpy(plain).permute(0, 3, 1, 2).to(self.device)

    def pictures(self, batch: SceneBatch) -> Tensor:
        """The composed scenes (N, 3, 128, 128) in [-1, 1], float32."""
        found = self.backdrops[self._index(batch.backgrounds)].float()
        for number, name in enumerate(layouts.NAMES):
            at = np.flatnonzero(batch.layouts == number)
            if len(at) == 0:
                continue
            there, rows = self._index(at), batch.rows[at]
            canvas = found[there]
            for place, spot in enumerate(layouts.LAYOUTS[name]):
                row = rows[:, place if name in layouts.DIFFERENT else 0]
                _paste(canvas, self.sprites[spot.edge][self._index(row)], spot)
            found[there] = canvas
        return found / 127.5 - 1

    def latents(self, batch: SceneBatch) -> Tensor:
        """The composed scenes' latents (N, C, 16, 16), float32."""
        return self.basis.encode(self.pictures(batch))

    def _index(self, numbers: np.ndarray) -> Tensor:
        return torch.from_numpy(numbers).to(self.device, non_blocking=True)


def _paste(canvas: Tensor, sprites: Tensor, spot: layouts.Spot) -> None:
    """Lay premultiplied sprites (N, 4, E, E) uint8 over the canvas (N, 3, 128, 128), in place."""
    left, top = spot.corner
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(SIZE, left + spot.edge), min(SIZE, top + spot.edge)
    part = sprites[:, :, y0 - top : y1 - top, x0 - left : x1 - left].float()
    under = canvas[:, :, y0:y1, x0:x1]
    canvas[:, :, y0:y1, x0:x1] = part[:, :3] + under * (1 - part[:, 3:] / 255)


def _scaled(sources: list[np.ndarray], edge: int) -> Tensor:
    """The drawings with their colours times their coverage, (N, 4, edge, edge) uint8."""

    def scale(rgba: np.ndarray) -> np.ndarray:
        picture = Image.fromarray(np.asarray(rgba)).convert("RGBa")
        if edge != picture.width:
            half = edge * 2 == picture.width
            filter_ = Image.Resampling.BOX if half else Image.Resampling.BICUBIC
            picture = picture.resize((edge, edge), filter_)
        return np.asarray(picture)

    with ThreadPoolExecutor() as pool:
        scaled = list(pool.map(scale, sources))
    if not scaled:
        return torch.empty(0, 4, edge, edge, dtype=torch.uint8)
    return torch.from_numpy(np.stack(scaled)).permute(0, 3, 1, 2).contiguous()
