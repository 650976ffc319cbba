"""Where the drawings of a picture stand: one, two or three of them, small or large, or one on another's head."""

from __future__ import annotations

from dataclasses import dataclass

from studio.starter.pictures.data import DOUBLE, SINGLE, SIZE

SMALL, LARGE, HEAD, HAT = 64, 128, 92, 64  # edges in pixels of 128


@dataclass(frozen=True)
class Spot:
    """A drawing's centre and edge, in pixels of a picture of 128."""

    x: float
    y: float
    edge: int

    @property
    def corner(self) -> tuple[int, int]:
        """The drawing's left and upper edge; may lie outside the picture."""
        return round(self.x - self.edge / 2), round(self.y - self.edge / 2)


MIDDLE, LOW, HIGH = SIZE / 2, SIZE / 4, 3 * SIZE / 4

# Drawn in this order, so that a hat lies over its head.
LAYOUTS: dict[str, tuple[Spot, ...]] = {
    "single": (Spot(MIDDLE, MIDDLE, SINGLE),),
    "small": (Spot(MIDDLE, MIDDLE, SMALL),),
    "large": (Spot(MIDDLE, MIDDLE, LARGE),),
    "pair": (Spot(LOW, MIDDLE, DOUBLE), Spot(HIGH, MIDDLE, DOUBLE)),
    "stacked": (Spot(MIDDLE, LOW, DOUBLE), Spot(MIDDLE, HIGH, DOUBLE)),
    "two": (Spot(LOW, MIDDLE, DOUBLE), Spot(HIGH, MIDDLE, DOUBLE)),
    "three": (Spot(MIDDLE, LOW, DOUBLE), Spot(LOW, HIGH, DOUBLE), Spot(HIGH, HIGH, DOUBLE)),
    "wearing": (Spot(MIDDLE, 80, HEAD), Spot(MIDDLE, 26, HAT)),
}
NAMES = tuple(LAYOUTS)
EDGES = tuple(sorted({spot.edge for spots in LAYOUTS.values() for spot in spots}))

# How often each is drawn.
SHARES: dict[str, float] = {
    "single": 0.54,
    "small": 0.04,
    "large": 0.04,
    "pair": 0.18,
    "stacked": 0.06,
    "two": 0.04,
    "three": 0.04,
    "wearing": 0.06,
}
# Whose drawings differ; the others show one drawing once or more often.
DIFFERENT = ("pair", "stacked", "wearing")
