"""A guided denoiser over overlapping tiles, with a guided denoiser's call shape.

Bar-Tal et al. 2023, MultiDiffusion, Eq. 5: at every step each tile is denoised by itself, with its
part of the rows' masks, control maps and pictures, and the predictions are averaged where tiles
overlap, here by a smooth window: ``ε̂ = Σ_k w_k·ε̂_k / Σ_k w_k``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from studio.diffusion.parameterisation import Prediction
from studio.engine.combine import Assembly
from studio.engine.denoiser import Denoiser, PreparedPass
from studio.engine.effort import Controller
from studio.plan.passes import Weights
from studio.plan.plan import Window

Place = tuple[slice, slice]  # rows and columns of the latent


@dataclass
class Tiled:
    """Denoisers of one run, each with the place of its tile and how much it counts there.

    Args:
        denoisers: one a tile.
        places: of each tile in the latent.
        weights: maps (1, 1, h, w) of the tiles; over each position they sum to 1.
    """

    denoisers: Sequence[Denoiser]
    places: Sequence[Place]
    weights: Sequence[Tensor]

    @staticmethod
    def of(
        whole: Denoiser,
        windows: Sequence[Window],
        factor: int,
        latent: tuple[int, int],
        efforts: Sequence[Controller | None],
    ) -> Tiled:
        """The tiles of a run.

        Args:
            whole: a denoiser of the whole picture; what its tiles can share they do.
            windows: in pixels. factor: pixels per latent position along an edge.
            latent: the latents' width and height.
            efforts: one a tile: what a tile may leave out is its own.
        """
        places = [_place(window, factor) for window in windows]
        tiles = [_part(whole, *pair, latent) for pair in zip(places, efforts, strict=True)]
        return Tiled(tiles, places, _weights(places, latent))

    @torch.inference_mode()
    def predict(self, step: int, z: Tensor, t: Tensor, alpha: Tensor, sigma: Tensor) -> Prediction:
        """As :meth:`Denoiser.predict`, for latents ``z`` (batch, channels, h, w) of the whole picture."""
        found: dict[str, Tensor] = {}
        for denoiser, place, weight in zip(self.denoisers, self.places, self.weights, strict=True):
            part = z[..., place[0], place[1]].contiguous()
            said = denoiser.predict(step, part, t, alpha, sigma)
            for name, output in said._asdict().items():
                if output is not None:
                    total = found.setdefault(name, output.new_zeros(z.shape))
                    total[..., place[0], place[1]] += weight.to(output) * output
        return Prediction(**found)

    @property
    def forwards(self) -> int:
        """Network samples so far."""
        return sum(one.forwards for one in self.denoisers)

    @property
    def forwards_of(self) -> Mapping[int, int]:
        """Those of each image of the batch."""
        images = {image for one in self.denoisers for image in one.forwards_of}
        return {i: sum(one.forwards_of.get(i, 0) for one in self.denoisers) for i in images}

    def estimate(self, image: int) -> float:
        """The error that is expected in an image's finished latent, as a root mean square."""
        return math.sqrt(_mean([one.estimate(image) ** 2 for one in self.denoisers]))

    @property
    def assembly(self) -> Assembly:
        """What the tiles measured, as of one picture: root mean squares, and cosines weighed by them."""
        parts = [one.assembly for one in self.denoisers]
        first = parts[0]
        sizes = [_sizes(step) for step in zip(*(one.sizes for one in parts), strict=True)]
        drifts = [_drifts(step) for step in zip(*(one.drifts for one in parts), strict=True)]
        return replace(first, sizes=sizes, drifts=drifts)


def _place(window: Window, factor: int) -> Place:
    rows = slice(window.top // factor, (window.top + window.height) // factor)
    return rows, slice(window.left // factor, (window.left + window.width) // factor)


def _part(
    whole: Denoiser, place: Place, effort: Controller | None, latent: tuple[int, int]
) -> Denoiser:
    """The denoiser of one tile; texts and adapters are those of the whole."""
    return replace(
        whole,
        passes=[_cropped(one, place, latent) for one in whole.passes],
        masks={key: _cut(mask, place, latent) for key, mask in whole.masks.items()},
        painted=None if whole.painted is None else _cut(whole.painted, place, latent),
        effort=effort,
        forwards=0,
        forwards_of={},
    )


def _cropped(item: PreparedPass, place: Place, latent: tuple[int, int]) -> PreparedPass:
    # What is known of the whole map is not known of its part.
    guides = tuple(replace(one, map=_cut(one.map, place, latent), known={}) for one in item.guides)
    picture = item.picture
    if picture is not None:
        picture = _cut(picture, place, latent)
    return replace(item, guides=guides, picture=picture)


def _cut(values: Tensor, place: Place, latent: tuple[int, int]) -> Tensor:
    """The part under ``place`` of a tensor (…, h, w) with a whole number of values a position."""
    down, across = values.shape[-2] // latent[1], values.shape[-1] // latent[0]
    rows, columns = place
    return values[
        ...,
        rows.start * down : rows.stop * down,
        columns.start * across : columns.stop * across,
    ]


def _weights(places: Sequence[Place], latent: tuple[int, int]) -> list[Tensor]:
    """``w_k / Σ_k w_k``: a bump over each tile, positive everywhere; 1 where a tile is alone."""
    bumps = [
        _bump(rows.stop - rows.start)[:, None] * _bump(columns.stop - columns.start)
        for rows, columns in places
    ]
    total = torch.zeros(latent[1], latent[0], dtype=torch.float64)
    for place, bump in zip(places, bumps, strict=True):
        total[place] += bump
    return [(bump / total[place])[None, None] for place, bump in zip(places, bumps, strict=True)]


def _bump(length: int) -> Tensor:
    """``sin²(π(i + ½)/n)``."""
    at = (torch.arange(length, dtype=torch.float64) + 0.5) / length
    return torch.sin(math.pi * at).square()


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _sizes(tiles: Sequence[Mapping[int, tuple[float, float]]]) -> dict[int, tuple[float, float]]:
    """Each row's (norm, cosine) of one step, over the tiles that measured it.

    A tile's cosine counts by the square of its norm: where a row's mask is black it says nothing.
    """
    found = {}
    for row in sorted({row for tile in tiles for row in tile}):
        norms, cosines = zip(*(tile[row] for tile in tiles if row in tile), strict=True)
        squares = [norm**2 for norm in norms]
        total = math.fsum(squares)
        pulls = (square * cosine for square, cosine in zip(squares, cosines, strict=True))
        found[row] = math.sqrt(_mean(squares)), math.fsum(pulls) / total if total else 0.0
    return found


def _drifts(tiles: Sequence[Mapping[Weights, float]]) -> dict[Weights, float]:
    names = dict.fromkeys(name for tile in tiles for name in tile)
    return {
        name: math.sqrt(_mean([tile[name] ** 2 for tile in tiles if name in tile]))
        for name in names
    }
