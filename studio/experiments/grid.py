"""The labelled grid of a sweep's images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from studio.preset.sweep import Axis

MAX_GRID_PIXELS = 48_000_000  # what the studio opens again, with room for labels
GAP, PAD, MAX_LABEL = 4, 8, 32


def shrunk(image: Image.Image, total: int) -> Image.Image:
    """``image`` small enough to be one of ``total`` in a grid."""
    edge = int((MAX_GRID_PIXELS / total) ** 0.5)
    small = image.copy()
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return small


def draw_grid(
    images: Mapping[tuple[int, int], Image.Image],
    x: Axis,
    y: Axis | None = None,
    title: str = "",
) -> Image.Image:
    """The images by (column, line) on white, each column and line labelled with its value.

    Args:
        title: a line above all.
    """
    width = max(image.width for image in images.values())
    height = max(image.height for image in images.values())
    font = ImageFont.load_default(size=max(12, min(32, width // 10)))
    across = [_label(x.field, value, font, width) for value in x.values]
    down = [_label(y.field, value, font, 3 * width) for value in y.values] if y else [""]
    left = max(int(font.getlength(text)) for text in down)
    left = left + 2 * PAD if left else GAP
    line_height = int(sum(font.getbbox("Ág")[i] * s for i, s in ((3, 1), (1, -1)))) + 2 * PAD
    above = line_height if title else 0
    size = (
        left + len(across) * (width + GAP),
        above + line_height + len(down) * (height + GAP),
    )
    grid = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(grid)
    if title:
        draw.text((size[0] / 2, above / 2), title, "black", font, anchor="mm")
    line_height += above
    for column, text in enumerate(across):
        middle = left + column * (width + GAP) + width / 2
        draw.text(
            (middle, line_height - (line_height - above) / 2), text, "black", font, anchor="mm"
        )
    for line, text in enumerate(down):
        middle = line_height + line * (height + GAP) + height / 2
        draw.text((left - PAD, middle), text, "black", font, anchor="rm")
    for (column, line), image in images.items():
        corner = (left + column * (width + GAP), line_height + line * (height + GAP))
        grid.paste(image, corner)
    return grid


def _label(field: str, value: Any, font: Any, room: float) -> str:
    """``field=value`` where it fits, else as much of the value as does."""
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = shown if len(shown) <= MAX_LABEL else shown[: MAX_LABEL - 1] + "…"
    for text in (f"{field} = {shown}", f"{field.rpartition('.')[2]} = {shown}", shown):
        if font.getlength(text) <= room:
            return text
    while len(shown) > 2 and font.getlength(shown) > room:
        shown = shown[:-2] + "…"
    return shown
