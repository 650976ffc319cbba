"""What drawings stand on: plain colours, and five simple patterns."""

from __future__ import annotations

import numpy as np

from studio.starter.pictures.contents import BACKGROUNDS
from studio.starter.pictures.phrases import PATTERNS

EVERY: tuple[str, ...] = (*BACKGROUNDS, *PATTERNS)  # as captions name them, numbered by place
STRIPES = ((120, 190, 235), (245, 245, 245))
DOTS = ((255, 236, 205), (226, 110, 110))
SQUARES = ((205, 205, 210), (150, 150, 158))
SUNSET = ((72, 48, 120), (250, 150, 80))
SKY = ((84, 156, 232), (214, 236, 250))
CLOUDS = ((0.24, 0.24, 0.10), (0.78, 0.36, 0.085))  # middle and radius, in parts of the edge


def backdrop(name: str, size: int) -> np.ndarray:
    """The background (size, size, 3) uint8 that ``name`` of :data:`EVERY` calls."""
    if name in BACKGROUNDS:
        return np.broadcast_to(np.array(BACKGROUNDS[name], np.uint8), (size, size, 3)).copy()
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    share = {
        "striped": lambda: (x * 4) % 1 < 0.5,
        "dotted": lambda: np.hypot((x * 4) % 1 - 0.5, (y * 4) % 1 - 0.5) > 0.26,
        "checkered": lambda: (np.floor(x * 4) + np.floor(y * 4)) % 2 == 0,
        "sunset": lambda: 1 - y,
        "sky": lambda: 1 - y,
    }[name]().astype(np.float64)[..., None]
    colours = {
        "striped": STRIPES,
        "dotted": DOTS,
        "checkered": SQUARES,
        "sunset": SUNSET,
        "sky": SKY,
    }[name]
    first, second = (np.array(colour, np.float64) for colour in colours)
    picture = share * first + (1 - share) * second
    if name == "sky":
        cover = _clouds(x, y)[..., None]
        picture = (1 - cover) * picture + cover * 255
    return (picture + 0.5).astype(np.uint8)


def _clouds(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of each place (H, W) clouds cover, 0 to 1: three discs each, soft at the rim."""
    cover = np.zeros_like(x)
    for middle_x, middle_y, radius in CLOUDS:
        for aside, share in ((-1.1, 0.7), (0.0, 1.0), (1.1, 0.75)):
            away = np.hypot(x - middle_x - aside * radius, (y - middle_y) * 1.3)
            cover = np.maximum(cover, np.clip((share * radius - away) * 40 + 0.5, 0, 1))
    return cover
