"""The plots of a sweep's scores: lines over numbers, maps over two axes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from studio.experiments.plots import Line, heat, lines
from studio.preset.sweep import Axis

Axes = tuple[Axis, Axis | None, Axis | None]


def plots(
    axes: Axes, scores: Sequence[dict[str, Any]], names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Names and SVG texts, for every metric and every value of the third axis."""
    x, y, z = axes
    for name in names:
        for page, deep in enumerate(z.values if z else (None,)):
            own = [line for line in scores if line["z"] == deep]
            mark = f"{name}-z{page:02d}" if z else name
            title = f"{name} ({z.field} = {deep})" if z else name
            if all(isinstance(value, int | float) for value in x.values):
                yield f"{mark}-lines", lines(_lines(own, name, x, y), x.field, title)
            if y is not None:
                values = _map(own, name, x, y)
                across, down = [_shown(v) for v in x.values], [_shown(v) for v in y.values]
                yield f"{mark}-map", heat(values, across, down, x.field, f"{y.field}: {title}")


def _lines(own: Sequence[dict[str, Any]], name: str, x: Axis, y: Axis | None) -> list[Line]:
    found = []
    for down in y.values if y else (None,):
        row = [line for line in own if line["y"] == down]
        points = [
            (float(line["x"]), *(float(line["metrics"][name][k]) for k in ("mean", "low", "high")))
            for line in sorted(row, key=lambda line: x.values.index(line["x"]))
        ]
        ordered = tuple(sorted((p[0], p[1], p[2], p[3]) for p in points))
        found.append(Line(f"{y.field} = {_shown(down)}" if y else "", ordered))
    return found


def _map(own: Sequence[dict[str, Any]], name: str, x: Axis, y: Axis) -> list[list[float]]:
    at = {(repr(line["x"]), repr(line["y"])): line["metrics"][name]["mean"] for line in own}
    return [[at.get((repr(a), repr(d)), math.nan) for a in x.values] for d in y.values]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
