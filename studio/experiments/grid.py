"""The labelled grid of a sweep's images."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from studio.experiments.labels import apart
from studio.preset.style_axis import STYLE
from studio.preset.sweep import Axis

MAX_GRID_PIXELS = 48_000_000  # what the studio opens again, with room for labels
GAP, PAD, MAX_LABEL = 4, 8, 32
Texts = tuple[str, ...]  # of one label, longest first
Said = Callable[[Axis], tuple[str, list[str]]]  # what an axis is called, and each of its values


def shrunk(image: Image.Image, total: int) -> Image.Image:
    """``image`` small enough to be one of ``total`` in a grid."""
    edge = int((MAX_GRID_PIXELS / total) ** 0.5)
    small = image.copy()
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return small


def as_written(axis: Axis) -> tuple[str, list[str]]:
    """An axis by its field's path, and its values as one types them."""
    return axis.field, [said_of(axis, value) for value in axis.values]


def draw_grid(
    images: Mapping[tuple[int, int], Image.Image],
    x: Axis,
    y: Axis | None = None,
    title: str = "",
    said: Said = as_written,
) -> Image.Image:
    """The images by (column, line) on white, each column and line labelled with its value.

    Args:
        title: a line above all; where the columns have no room for what their field is called, that too.
        said: what axes and values are called.
    """
    across, down = (_texts(*said(axis)) if axis else [] for axis in (x, y))
    return draw_labelled(images, across, down or [("",)], title, said(x)[0])


def draw_labelled(
    images: Mapping[tuple[int, int], Image.Image],
    columns: Sequence[Texts],
    lines: Sequence[Texts],
    title: str = "",
    field: str = "",
) -> Image.Image:
    """The images by (column, line) on white under the labels of columns and lines.

    Args:
        columns, lines: for each what may be said of it, longest first; what fits is drawn.
        title: a line above all.
        field: what the columns are of; it is in that line where no column has room for it.
    """
    width = max(image.width for image in images.values())
    height = max(image.height for image in images.values())
    font = ImageFont.load_default(size=max(12, min(32, width // 10)))
    across = [_fitting(texts, font, width) for texts in columns]
    down = [_fitting(texts, font, 3 * width) for texts in lines]
    left = max(int(font.getlength(text)) for text in down)
    left = left + 2 * PAD if left else GAP
    if field and not any(f"{_name(field)} =" in text for text in across):
        title = _fitting(
            (" · ".join(filter(None, (title, field))),), font, left + len(across) * (width + GAP)
        )
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


def _texts(field: str, shown: Sequence[str]) -> list[Texts]:
    """For each value ``field = value``, and shorter: what tells the values apart is left in each."""
    brief = apart(shown)
    whole = shown if max(map(len, shown)) <= MAX_LABEL else brief
    return [
        (f"{field} = {_cut(text)}", f"{_name(field)} = {_cut(text)}", _cut(text), _cut(short))
        for text, short in zip(whole, brief, strict=True)
    ]


def _name(field: str) -> str:
    """The last part of a field's path."""
    return field.rpartition(".")[2]


def said_of(axis: Axis, value: Any) -> str:
    """A value of an axis in a label."""
    if axis.field == STYLE and value == "":
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LABEL else text[: MAX_LABEL - 1] + "…"


def _fitting(texts: Texts, font: Any, room: float) -> str:
    """The first text that fits, else as much of the last as does."""
    for text in texts:
        if font.getlength(text) <= room:
            return text
    shown = texts[-1]
    while len(shown) > 2 and font.getlength(shown) > room:
        shown = shown[:-2] + "…"
    return shown
