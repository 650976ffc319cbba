"""Thumbnails of the shipped presets, each made by the preset that it stands for.

``python -m studio.starter.stages.thumbnails [NAME ...]`` writes ``presets/NAME.webp`` for those presets
whose base ships. Several images stand side by side; the signed strip shows its row's whole range.
"""

from __future__ import annotations

import sys

from PIL import Image

from studio.engine import Engine
from studio.events import Done
from studio.home import PRESETS
from studio.preset import Preset

EDGE = 256
STRIP = {"09-signed-strip": (1, (-4.0, -2.0, 0.0, 2.0, 4.0))}


def images_of(engine: Engine, preset: Preset) -> list[Image.Image]:
    """All images of a preset."""
    return [e.image for e in engine.generate(preset) if isinstance(e, Done)]


def strip_of(
    engine: Engine, preset: Preset, row: int, weights: tuple[float, ...]
) -> list[Image.Image]:
    """One image for each weight of one row, everything else fixed."""
    made = []
    for weight in weights:
        rows = list(preset.rows)
        rows[row] = rows[row].model_copy(update={"weight": weight})
        made += images_of(engine, preset.model_copy(update={"rows": tuple(rows)}))
    return made


def arrange(images: list[Image.Image], square: bool) -> Image.Image:
    """One image as it is, up to four in a square, a strip in one line."""
    columns = len(images) if not square or len(images) < 3 else 2
    edge = max(EDGE // columns, 128) if columns > 1 else EDGE
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * edge, rows * edge), "white")
    for place, image in enumerate(images):
        sheet.paste(
            image.resize((edge, edge), Image.Resampling.LANCZOS),
            (place % columns * edge, place // columns * edge),
        )
    return sheet


def main(names: list[str]) -> None:
    """Make the thumbnails of the presets named, or of all."""
    engine = Engine()
    for path in sorted(PRESETS.glob("*.json")):
        preset = Preset.load(path)
        if (names and path.stem not in names) or preset.base not in engine.library:
            continue
        strip = STRIP.get(path.stem)
        images = strip_of(engine, preset, *strip) if strip else images_of(engine, preset)
        arrange(images, square=not strip).save(path.with_suffix(".webp"), quality=88, method=6)
        print(path.with_suffix(".webp").name, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
