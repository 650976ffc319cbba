"""Finders that find the same two boxes, nothing, or fail; presets that make parts again by them."""

from __future__ import annotations

from typing import Any

from PIL import Image

from studio.errors import StudioError
from studio.preset import Detail, Preset, validate
from studio.preset.finders import Finder
from tests.support.tiny_pictures import SCALE, SEED, STEPS

ROWS = [{"prompt": "a cat", "weight": SCALE}]
BOXES = ((4, 4, 12, 12), (10, 20, 22, 30))  # of which the second is larger
SIZE = 32
AGAIN = {"finder": "boxes", "strength": 0.7, "padding": 2, "grow": 0}


def boxes(picture: Image.Image, detail: Detail) -> list[Image.Image]:
    """Two places, wherever they are in a picture of any size."""
    found = []
    for box in BOXES:
        mask = Image.new("L", (SIZE, SIZE))
        mask.paste(255, box)
        found.append(mask.resize(picture.size, Image.Resampling.NEAREST))
    return found


def nothing(picture: Image.Image, detail: Detail) -> list[Image.Image]:
    return []


def broken(picture: Image.Image, detail: Detail) -> list[Image.Image]:
    raise StudioError("has no eyes", field="detail.finder")


def blind() -> None:
    raise StudioError("has no weights", field="detail.finder")


FOUND = {
    "boxes": Finder("boxes", "Two boxes.", boxes),
    "nothing": Finder("nothing", "None.", nothing),
    "broken": Finder("broken", "None.", broken),
    "blind": Finder("blind", "None.", boxes, blind),
}


def preset_of(again: dict[str, Any] = AGAIN, **fields: Any) -> Preset:
    sampler = {"steps": STEPS, "scheduler": "ddim", "seed": SEED, "width": SIZE, "height": SIZE}
    sampler |= fields.pop("sampler", {})
    return validate({"base": "base", "rows": ROWS, "detail": again, **fields, "sampler": sampler})
