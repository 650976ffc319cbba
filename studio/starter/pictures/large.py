"""Drawings at 256 pixels, for the decoder: the same compositions as `data` makes, twice as fine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.starter.common import log
from studio.starter.pictures.captions import random_caption
from studio.starter.pictures.contents import BACKGROUNDS, HELD_OUT_STYLES, STYLES
from studio.starter.pictures.data import (
    CELL,
    DOUBLE,
    SINGLE,
    SIZE,
    Pictures,
    fetch,
    place,
    read_json,
    render,
    solid,
)

EDGE = 2 * SIZE
FACTOR = 16  # pixels along an edge of a latent cell


@dataclass(frozen=True)
class Drawn:
    """Composed pictures (N, 256, 256, 3) uint8 and captions; "" where the prior does not know the drawing."""

    pictures: np.ndarray
    captions: list[str]


def rasterise_large(work: Path) -> np.ndarray:
    """Every drawing of ``pictures.json`` at 256 pixels, RGBA, memory-mapped; rendered once."""
    path = work / "pictures-256.npy"
    if not path.exists():
        entries = json.loads((work / "pictures.json").read_text())
        specs = {**STYLES, **HELD_OUT_STYLES}
        icons = {s: read_json(fetch(spec, work / "npm"), "icons.json") for s, spec in specs.items()}
        partial = work / "pictures-256.part.npy"
        found = np.lib.format.open_memmap(
            partial, "w+", np.uint8, shape=(len(entries), EDGE, EDGE, 4)
        )
        for row, entry in enumerate(entries):
            drawing = render(icons[entry["style"]], entry["slug"], EDGE)
            if drawing is not None:
                found[row] = drawing
        found.flush()
        os.replace(partial, path)
        log(f"data: {len(entries)} drawings at {EDGE} pixels")
    return np.load(path, mmap_mode="r")


def draw_pool(
    work: Path,
    rows: list[int],
    count: int,
    rng: np.random.Generator,
    any_drawing: float = 0.25,
) -> Drawn:
    """Compositions of the drawings in ``rows``.

    Args:
        any_drawing: share that shows any drawing, moved and scaled freely, without a caption; the
            others are composed and described as the prior learned them.
    """
    pictures, large = Pictures.load(work), rasterise_large(work)
    known: dict[str, list[int]] = {}
    for row in rows:
        entry = pictures.entries[row]
        if entry["name"] and entry["style"] in STYLES:
            known.setdefault(entry["style"], []).append(row)
    pool, captions = np.empty((count, EDGE, EDGE, 3), np.uint8), []
    for i in range(count):
        background = list(BACKGROUNDS)[rng.integers(len(BACKGROUNDS))]
        free = not known or rng.random() < any_drawing
        style = "" if free else list(known)[rng.integers(len(known))]
        among = rows if free else known[style]
        chosen = rng.choice(len(among), 2 if rng.random() < 0.25 else 1, replace=False)
        drawings = [large[among[c]] for c in chosen]
        pool[i] = _composed(drawings, background, rng, free)
        names = tuple(pictures.entries[among[c]]["name"] for c in chosen)
        captions.append("" if free else random_caption(names, style, background, rng))
    return Drawn(pool, captions)


def _composed(
    drawings: list[np.ndarray], background: str, rng: np.random.Generator, free: bool
) -> np.ndarray:
    """One drawing in the middle, or two side by side; moved freely, or by whole latent cells."""
    if free and rng.random() < 0.1:
        return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (EDGE, EDGE, 3)).copy()
    alone = len(drawings) == 1
    size = SINGLE if alone else DOUBLE
    if free:
        size = round(size * rng.uniform(0.92, 1.08))
        move = rng.uniform(-5, 5, 2)
    else:
        move = CELL * (rng.choice(3, 2, p=(0.2, 0.6, 0.2)) - 1.0) * (1 if alone else (0, 1))
    canvas = solid(background, EDGE)
    for number, drawing in enumerate(drawings):
        x = SIZE / 2 if alone else (1 + 2 * number) * SIZE / 4
        canvas = place(canvas, drawing, (2 * (x + move[0]), 2 * (SIZE / 2 + move[1])), 2 * size)
    return canvas
