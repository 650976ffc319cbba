"""Plots as SVG text: points with their front, lines with bands, a map of values. No library."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 560, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 30, 52
COLOURS = ("#4f46e5", "#ea580c", "#0f766e", "#b91c1c", "#7c3aed", "#a16207", "#0369a1", "#be185d")
PALE, DARK = (238, 242, 255), (49, 46, 129)


@dataclass(frozen=True)
class Dot:
    """A point of a scatter plot: its place, its intervals, what is said of it.

    Args:
        kind: ``front``, ``point`` or ``stopped``.
    """

    x: float
    y: float
    text: str = ""
    kind: str = "point"
    x_reach: tuple[float, float] | None = None
    y_reach: tuple[float, float] | None = None


@dataclass(frozen=True)
class Line:
    """A line of a plot: (x, y, low, high) from left to right."""

    name: str
    points: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class _Scale:
    """From values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round values from ``low`` to ``high``, about ``count`` of them."""
    if not math.isfinite(low) or not math.isfinite(high):
        return []
    if high <= low:
        return [low]
    raw = (high - low) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= raw)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def scatter(dots: Sequence[Dot], x: str, y: str) -> str:
    """Points, the front's joined by a line, with their intervals as thin crosses."""
    xs = _reach([v for d in dots for v in (d.x, *(d.x_reach or ()))])
    ys = _reach([v for d in dots for v in (d.y, *(d.y_reach or ()))])
    across, up = _scales(xs, ys)
    parts = [_frame(across, up, x, y)]
    front = sorted((d for d in dots if d.kind == "front"), key=lambda d: d.x)
    joined = " ".join(f"{across(d.x):.1f},{up(d.y):.1f}" for d in front)
    parts.append(f'<polyline points="{joined}" fill="none" stroke="#4f46e5" stroke-width="1.5"/>')
    for dot in sorted(dots, key=lambda d: d.kind == "front"):
        colour = {"front": "#4f46e5", "point": "#64748b"}.get(dot.kind, "#cbd5e1")
        at_x, at_y = across(dot.x), up(dot.y)
        if dot.kind == "front":
            parts += [
                f'<path d="M{across(low):.1f} {at_y:.1f}H{across(high):.1f}" stroke="#c7d2fe"/>'
                for low, high in [dot.x_reach or (dot.x, dot.x)]
            ]
            parts += [
                f'<path d="M{at_x:.1f} {up(low):.1f}V{up(high):.1f}" stroke="#c7d2fe"/>'
                for low, high in [dot.y_reach or (dot.y, dot.y)]
            ]
        radius = 5 if dot.kind == "front" else 3
        parts.append(
            f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="{radius}" fill="{colour}">'
            f"<title>{html.escape(dot.text)}</title></circle>"
        )
    return _svg(parts, f"{y} over {x}")


def lines(series: Sequence[Line], x: str, y: str) -> str:
    """Lines with their intervals as bands, named beside the last point."""
    points = [point for line in series for point in line.points]
    across, up = _scales(_reach([p[0] for p in points]), _reach([v for p in points for v in p[1:]]))
    parts = [_frame(across, up, x, y)]
    for number, line in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        known = [p for p in line.points if all(map(math.isfinite, p))]
        upper = [f"{across(p[0]):.1f},{up(p[3]):.1f}" for p in known]
        lower = [f"{across(p[0]):.1f},{up(p[2]):.1f}" for p in reversed(known)]
        middle = [f"{across(p[0]):.1f},{up(p[1]):.1f}" for p in known]
        parts.append(
            f'<polygon points="{" ".join(upper + lower)}" fill="{colour}" opacity=".13"/>'
            f'<polyline points="{" ".join(middle)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{across(p[0]):.1f}" cy="{up(p[1]):.1f}" r="3" fill="{colour}"/>'
            for p in known
        ]
        if line.name:
            parts.append(_text(LEFT + 8, TOP + 14 + 15 * number, line.name, "start", colour))
    return _svg(parts, f"{y} over {x}")


def heat(
    values: Sequence[Sequence[float]], across: Sequence[str], down: Sequence[str], x: str, y: str
) -> str:
    """A map of values, lines from the top; darker is higher, each cell says its value."""
    known = [v for row in values for v in row if math.isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(across))
    tall = (HEIGHT - TOP - BOTTOM) / max(1, len(down))
    parts = []
    for line, row in enumerate(values):
        for column, value in enumerate(row):
            part = (value - low) / (high - low) if high > low else 0.5
            left, top = LEFT + column * wide, TOP + line * tall
            fill = _mixed(part) if math.isfinite(value) else "#f1f5f9"
            ink = "#fff" if math.isfinite(value) and part > 0.5 else "#0f172a"
            parts.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide - 1:.1f}" '
                f'height="{tall - 1:.1f}" fill="{fill}"/>'
            )
            if math.isfinite(value) and wide > 34 and tall > 12:
                parts.append(
                    _text(left + wide / 2, top + tall / 2 + 4, f"{value:.3g}", "middle", ink)
                )
    for column, label in enumerate(across):
        parts.append(_text(LEFT + (column + 0.5) * wide, HEIGHT - BOTTOM + 16, label, "middle"))
    for line, label in enumerate(down):
        parts.append(_text(LEFT - 6, TOP + (line + 0.5) * tall + 4, label, "end"))
    parts += _axis_names(x, y)
    return _svg(parts, f"{y} against {x}")


def _mixed(part: float) -> str:
    return "#" + "".join(
        f"{round(a + part * (b - a)):02x}" for a, b in zip(PALE, DARK, strict=True)
    )


def _reach(values: Sequence[float]) -> tuple[float, float]:
    """The span of the finite values, with some room around it."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * 0.06 or abs(high) * 0.06 or 0.5
    return low - room, high + room


def _scales(xs: tuple[float, float], ys: tuple[float, float]) -> tuple[_Scale, _Scale]:
    return _Scale(*xs, LEFT, WIDTH - RIGHT), _Scale(*ys, HEIGHT - BOTTOM, TOP)


def _frame(across: _Scale, up: _Scale, x: str, y: str) -> str:
    parts = []
    for value in ticks(across.low, across.high):
        at = across(value)
        parts.append(f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e2e8f0"/>')
        parts.append(_text(at, HEIGHT - BOTTOM + 16, f"{value:g}", "middle"))
    for value in ticks(up.low, up.high):
        at = up(value)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#e2e8f0"/>')
        parts.append(_text(LEFT - 6, at + 4, f"{value:g}", "end"))
    return "".join([*parts, *_axis_names(x, y)])


def _axis_names(x: str, y: str) -> list[str]:
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = (
        f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle" '
        f'fill="#334155">{html.escape(y)}</text>'
    )
    return [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x, "middle"), turned]


def _text(x: float, y: float, text: Any, anchor: str, colour: str = "#334155") -> str:
    shown = str(text) if len(str(text)) <= 28 else f"{str(text)[:27]}…"
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{html.escape(shown)}</text>"
    )


def _svg(parts: Sequence[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui,sans-serif" font-size="12"><title>{html.escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )
