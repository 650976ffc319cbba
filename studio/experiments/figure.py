"""An experiment's figure as SVG, drawn from its JSON: lines over an axis, a list with intervals, a trade-off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any

COLOURS = ("#1f6fb4", "#d9541a", "#2a9d57", "#8a4fbe", "#b8860b", "#c2387e", "#4a9aa5", "#6b6b6b")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 330, 230, 52, 40, 26
LINE = 17  # height of one cell in a list

Cells = Sequence[Mapping[str, Any]]


def draw(result: Mapping[str, Any], about: str, scatter: Sequence[str] | None) -> str:
    """The figure of a result.

    Args:
        result: an experiment's JSON.
        about: the axis' name, where cells have a place on one.
        scatter: two metrics to draw against each other beside the rest.
    """
    cells: Cells = result["cells"]
    metrics = list(cells[0]["metrics"])
    if all(cell["at"] is not None for cell in cells):
        panels = [_lines(cells, metric, about) for metric in metrics]
        if scatter:
            panels.append(_trade(cells, *scatter))
        names = [name for _, name in _coloured(cells) if name]
        return _in_rows(panels, [WIDTH] * len(panels), HEIGHT, names)
    height = TOP + LINE * len(cells) + BOTTOM
    label = 7 * max(len(cell["name"]) for cell in cells) + 8
    lefts = [label if i % 2 == 0 else 12 for i in range(len(metrics))]
    panels = [_list(cells, metric, left) for metric, left in zip(metrics, lefts, strict=True)]
    return _in_rows(panels, [WIDTH - LEFT + left for left in lefts], height)


def _lines(cells: Cells, metric: str, about: str) -> list[str]:
    """One line for each ``line`` over the cells' places, with intervals."""
    places = [float(cell["at"]) for cell in cells]
    x = _Scale(places, LEFT + 8, WIDTH - 12)
    y = _Scale(_bounds(cells, metric), HEIGHT - BOTTOM, TOP)
    parts = [*_frame(metric, about), *_ticks_x(x, sorted(set(places))), *_ticks_y(y)]
    for colour, line in _coloured(cells):
        mine = sorted((c for c in cells if c["line"] == line), key=lambda c: float(c["at"]))
        points = [(x(float(c["at"])), y(c["metrics"][metric]["mean"])) for c in mine]
        parts.append(_path(points, colour))
        for cell, (px, py) in zip(mine, points, strict=True):
            low, _, high = _ends(cell["metrics"][metric])
            parts.append(_bar(px, y(low), px, y(high), colour))
            parts.append(f"<circle cx='{px:.1f}' cy='{py:.1f}' r='3' fill='{colour}'/>")
    return parts


def _trade(cells: Cells, across: str, up: str) -> list[str]:
    """One metric against another, the cells of a line joined; a ring is the line's first cell."""
    x = _Scale([c["metrics"][across]["mean"] for c in cells], LEFT + 8, WIDTH - 12)
    y = _Scale([c["metrics"][up]["mean"] for c in cells], HEIGHT - BOTTOM, TOP)
    parts = [*_frame(f"{up} against {across}", across), *_ticks_x(x), *_ticks_y(y)]
    for colour, line in _coloured(cells):
        mine = [c for c in cells if c["line"] == line]
        points = [(x(c["metrics"][across]["mean"]), y(c["metrics"][up]["mean"])) for c in mine]
        parts.append(_path(points, colour))
        for i, (px, py) in enumerate(points):
            fill = "#fff" if i == 0 else colour
            parts.append(
                f"<circle cx='{px:.1f}' cy='{py:.1f}' r='3.5' fill='{fill}' stroke='{colour}'/>"
            )
    return parts


def _list(cells: Cells, metric: str, left: int) -> list[str]:
    """The cells one below another, a dot with its interval each."""
    right = WIDTH - LEFT + left - 12
    x = _Scale(_bounds(cells, metric), left + 8, right)
    bottom = TOP + LINE * len(cells)
    parts = [_text(left, 16, metric, weight="bold")]
    parts.append(f"<path d='M{left},{bottom}H{right}' stroke='#888'/>")
    for value in x.ticks():
        parts.append(_bar(x(value), TOP, x(value), bottom, "#e5e5e5"))
        parts.append(_text(x(value), bottom + 15, f"{value:g}", "middle"))
    for i, cell in enumerate(cells):
        at, colour = TOP + LINE * (i + 0.5), COLOURS[0]
        if left > 12:
            parts.append(_text(left - 4, at + 4, cell["name"], "end"))
        if cell["metrics"][metric]["mean"] is None:
            continue
        low, mean, high = _ends(cell["metrics"][metric])
        parts.append(_bar(x(low), at, x(high), at, colour))
        parts.append(f"<circle cx='{x(mean):.1f}' cy='{at:.1f}' r='3' fill='{colour}'/>")
    return parts


class _Scale:
    """Values to pixels, with a little room at both ends."""

    def __init__(self, values: Iterable[float], start: float, stop: float) -> None:
        finite = [value for value in values if isfinite(value)] or [0.0, 1.0]
        low, high = min(finite), max(finite)
        room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        self.low, self.high, self.start, self.stop = low - room, high + room, start, stop

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self) -> list[float]:
        """Three to six round values."""
        step = 10.0
        span = self.high - self.low
        while step > span:
            step /= 10
        while span / step > 10:
            step *= 10
        step = next(
            step * part for part in (5, 2.5, 2, 1, 0.5, 0.25, 0.2) if span / (step * part) >= 3
        )
        first = int(self.low / step) - 1
        values = [round(step * (first + i), 10) for i in range(30)]
        return [value for value in values if self.low <= value <= self.high]


def _bounds(cells: Cells, metric: str) -> list[float]:
    found = [cell["metrics"][metric] for cell in cells]
    return [value for one in found if one["mean"] is not None for value in _ends(one)]


def _ends(found: Mapping[str, float | None]) -> tuple[float, float, float]:
    """Low, mean and high; an end that is not known is the mean."""
    mean = found["mean"] or 0.0
    low, high = (mean if found[end] is None else found[end] or 0.0 for end in ("low", "high"))
    return low, mean, high


def _coloured(cells: Cells) -> list[tuple[str, str]]:
    names = list(dict.fromkeys(cell["line"] for cell in cells))
    return [(COLOURS[i % len(COLOURS)], name) for i, name in enumerate(names)]


def _frame(title: str, about: str) -> list[str]:
    return [
        _text(LEFT, 16, title, weight="bold"),
        _text((LEFT + WIDTH) / 2, HEIGHT - 6, about, "middle"),
        f"<path d='M{LEFT},{TOP}V{HEIGHT - BOTTOM}H{WIDTH - 6}' fill='none' stroke='#888'/>",
    ]


def _ticks_x(scale: _Scale, values: Sequence[float] = ()) -> list[str]:
    shown = values if values and len(values) <= 9 else scale.ticks()
    y = HEIGHT - BOTTOM
    return [_text(scale(value), y + 15, f"{value:g}", "middle") for value in shown]


def _ticks_y(scale: _Scale) -> list[str]:
    parts = []
    for value in scale.ticks():
        parts.append(_bar(LEFT, scale(value), WIDTH - 6, scale(value), "#e5e5e5"))
        parts.append(_text(LEFT - 5, scale(value) + 4, f"{value:g}", "end"))
    return parts


def _legend(names: Sequence[str], width: float) -> tuple[list[str], int]:
    """Names with their colours, wrapped to ``width``; and how many lines they take."""
    parts, x, y = [], float(LEFT), 10
    for i, name in enumerate(names):
        room = 24 + 6.5 * len(name)
        if x + room > width and x > LEFT:
            x, y = float(LEFT), y + 18
        parts.append(f"<circle cx='{x:.1f}' cy='{y}' r='4' fill='{COLOURS[i % len(COLOURS)]}'/>")
        parts.append(_text(x + 8, y + 4, name))
        x += room
    return parts, (y + 12 if names else 0)


def _path(points: Sequence[tuple[float, float]], colour: str) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline points='{joined}' fill='none' stroke='{colour}' stroke-width='1.5'/>"


def _bar(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f"<path d='M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}' stroke='{colour}'/>"


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-weight='{weight}'>"
        f"{escape(text)}</text>"
    )


def _in_rows(
    panels: Sequence[list[str]], widths: Sequence[int], height: int, names: Sequence[str] = ()
) -> str:
    """Panels two in a row, the legend below."""
    across = sum(widths[:2])
    placed = [
        f"<g transform='translate({widths[i - 1] if i % 2 else 0},{height * (i // 2)})'>"
        f"{''.join(panel)}</g>"
        for i, panel in enumerate(panels)
    ]
    down = height * -(-len(panels) // 2)
    legend, room = _legend(names, across)
    placed.append(f"<g transform='translate(0,{down})'>{''.join(legend)}</g>")
    return _svg(placed, across, down + room)


def _svg(parts: Sequence[str], width: int, height: int) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' font-family='sans-serif' font-size='11'>"
        f"<rect width='100%' height='100%' fill='#fff'/>{''.join(parts)}</svg>\n"
    )
