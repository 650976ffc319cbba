"""The points of a search: what was measured at each setting, kept, and the front among them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from studio.experiments.asked import text_of
from studio.experiments.tune.front import pareto
from studio.experiments.tune.search import Search, Values
from studio.files import write_atomically
from studio.metrics import Interval
from studio.preset import Preset


@dataclass(frozen=True)
class Point:
    """One setting and what was measured there.

    Args:
        each: score → the value of every picture, where it has one.
        metrics: score → mean and interval.
        stopped: left unfinished, since another point was better in every score.
    """

    values: Values
    paths: tuple[Path, ...]
    each: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    metrics: Mapping[str, Interval] = field(default_factory=dict)
    stopped: bool = False

    def scores(self, names: Sequence[str], signs: Mapping[str, int]) -> tuple[float, ...]:
        """The means, higher better in each; NaN where one is not known."""
        return tuple(
            signs[n] * self.metrics[n].mean if n in self.metrics else np.nan for n in names
        )


def read_points(search: Search) -> list[Point]:
    """The points that this search has measured; a line that is no point is passed over."""
    path = search.out / "points.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = [_read(line, search) for line in lines]
    return [point for point in found if point is not None]


def keep_points(search: Search, points: Sequence[Point]) -> None:
    """Write the record of the search."""
    lines = [
        json.dumps(
            {
                "values": point.values,
                "pictures": len(point.paths),
                "stopped": point.stopped,
                "each": {
                    n: [v if math.isfinite(v) else None for v in row]
                    for n, row in point.each.items()
                },
                "metrics": {name: i.as_dict() for name, i in point.metrics.items()},
            },
            ensure_ascii=False,
        )
        for point in points
    ]
    write_atomically(search.out / "points.jsonl", ("\n".join(lines) + "\n").encode())


def _read(line: str, search: Search) -> Point | None:
    try:
        data = json.loads(line)
        values, count = data["values"], int(data["pictures"])
        asked = search.requests(values)[:count]
        folder = search.out / "pictures" / key_of(values)
        paths = [folder / f"{n:04d}-seed{one.seed}.png" for n, one in enumerate(asked)]
        metrics = {name: Interval(**given) for name, given in data["metrics"].items()}
        each = {
            name: tuple(math.nan if value is None else float(value) for value in row)
            for name, row in data["each"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Point(values, tuple(paths), each, metrics, bool(data.get("stopped")))


def front(search: Search, points: Sequence[Point]) -> list[Point]:
    """The finished points that no other beats, along the trade from low first score to high."""
    whole = [point for point in points if not point.stopped]
    return [whole[i] for i in pareto([p.scores(search.metrics, search.signs) for p in whole])]


def key_of(values: Values) -> str:
    """A folder's name for one setting."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def named(search: Search, point: Point) -> Preset:
    """The preset of a point, with its setting in its name and its scores in its note."""
    title = search.preset.name or text_of(search.preset) or "Untitled"
    name = f"{title} · {setting(point.values)}"[:200]
    scores = ", ".join(
        f"{n} {i.mean:.3f} ({i.low:.3f} to {i.high:.3f})" for n, i in point.metrics.items()
    )
    note = f"{scores} over {len(point.paths)} pictures."
    update = {"name": name, "description": note[:2000]}
    return search.with_values(point.values).model_copy(update=update)


def setting(values: Values) -> str:
    """Values in words: ``ω 0.4, row 1 weight 3``; texts and whole numbers as they are."""
    said = {
        name: f"{value:g}" if isinstance(value, float) else value for name, value in values.items()
    }
    return ", ".join(f"{short(name)} {value}" for name, value in said.items())


def short(field_path: str) -> str:
    """A field's path for a label: ``ω``, ``row 1 weight``."""
    if field_path == "omega":
        return "ω"
    parts = field_path.split(".")
    if parts[0] == "rows" and len(parts) > 2 and parts[1].isdigit():
        return f"row {int(parts[1]) + 1} {' '.join(parts[2:])}"
    return parts[-1]
