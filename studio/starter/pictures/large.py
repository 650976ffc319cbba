"""Drawings at 256 pixels, for the decoder: the same compositions as `data` makes, twice as fine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from studio.starter.common import log
from studio.starter.pictures import layouts
from studio.starter.pictures.backdrops import EVERY, backdrop
from studio.starter.pictures.contents import HELD_OUT_STYLES, STYLES
from studio.starter.pictures.data import (
    DOUBLE,
    SINGLE,
    SIZE,
    Pictures,
    fetch,
    place,
    read_json,
    render,
)
from studio.starter.pictures.scenes import Scene, Scenes

EDGE = 2 * SIZE
FACTOR = 16  # pixels along an edge of a latent cell
SHARE = 100  # pictures that a process draws at a time


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
    work: Path, rows: list[int], count: int, seed: int, any_drawing: float = 0.25
) -> Drawn:
    """Compositions of the drawings in ``rows``, by as many processes as there are cores.

    Args:
        any_drawing: share that shows any drawing, moved and scaled freely, without a caption; the
            others are composed and described as the prior learned them.
    """
    rasterise_large(work)
    shares = [part for part in np.array_split(np.arange(count), -(-count // SHARE)) if len(part)]
    asked = [(work, rows, len(part), [seed, n], any_drawing) for n, part in enumerate(shares)]
    with get_context("fork").Pool(os.cpu_count()) as pool:
        drawn = pool.starmap(_draw_some, asked)
    return Drawn(
        np.concatenate([one.pictures for one in drawn]),
        [text for one in drawn for text in one.captions],
    )


def _draw_some(
    work: Path, rows: list[int], count: int, seed: list[int], any_drawing: float
) -> Drawn:
    rng, pictures, large = np.random.default_rng(seed), Pictures.load(work), rasterise_large(work)
    known = {(pictures.entries[row]["slug"], pictures.entries[row]["style"]) for row in rows}
    scenes = Scenes(known)
    pool, captions = np.empty((count, EDGE, EDGE, 3), np.uint8), []
    for i in range(count):
        if not scenes.entries or rng.random() < any_drawing:
            pool[i] = _free([large[rows[rng.integers(len(rows))]] for _ in range(2)], rng)
            captions.append("")
            continue
        scene = scenes.draw(rng)
        drawings = [scenes.entries[row] for row in scene.rows]
        pool[i] = _composed(
            scene, [large[pictures.row(content.slug, style) or 0] for content, style in drawings]
        )
        captions.append(scene.caption(rng))
    return Drawn(pool, captions)


def _composed(scene: Scene, drawings: list[np.ndarray]) -> np.ndarray:
    """The scene at 256 pixels."""
    canvas = backdrop(EVERY[scene.background], EDGE)
    for number, spot in enumerate(layouts.LAYOUTS[scene.layout]):
        drawing = drawings[number if scene.layout in layouts.DIFFERENT else 0]
        canvas = place(canvas, drawing, (2 * spot.x, 2 * spot.y), 2 * spot.edge)
    return canvas


def _free(drawings: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """One colour, one drawing in the middle, or two side by side; moved and scaled freely."""
    if rng.random() < 0.1:
        return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (EDGE, EDGE, 3)).copy()
    alone = rng.random() < 0.75
    size = round((SINGLE if alone else DOUBLE) * rng.uniform(0.92, 1.08))
    move, canvas = rng.uniform(-5, 5, 2), backdrop(EVERY[rng.integers(len(EVERY))], EDGE)
    for number, drawing in enumerate(drawings[: 1 if alone else 2]):
        x = SIZE / 2 if alone else (1 + 2 * number) * SIZE / 4
        canvas = place(canvas, drawing, (2 * (x + move[0]), 2 * (SIZE / 2 + move[1])), 2 * size)
    return canvas
