"""What a search leaves behind: JSON, CSV, a plot, a labelled grid, presets and a page of all."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from studio.experiments.grid import draw_grid, shrunk
from studio.experiments.plots import Dot, scatter
from studio.experiments.tune.points import Point, front, named, setting, short
from studio.experiments.tune.search import Search
from studio.files import write_atomically
from studio.images import open_checked
from studio.preset.sweep import Axis
from studio.share.embed import embed_images

PICTURES = 6  # of each point in the grid
STYLE = (
    "body{font:14px system-ui;margin:2em;max-width:1100px}svg{max-width:640px}"
    "main{display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:1.2em}"
    "figure{margin:0}figure img{width:100%}figcaption{font-size:13px;color:#334155}"
)


def write(search: Search, points: Sequence[Point], roots: Sequence[Path] = ()) -> dict[str, Any]:
    """Write everything into the search's folder; what the verb prints: ``{"front": […]}``."""
    best = front(search, points)
    presets = _presets(search, best, roots)
    entries = [
        {
            "values": point.values,
            "metrics": {name: i.as_dict() for name, i in point.metrics.items()},
            "preset": str(path),
            "pictures": [str(one) for one in point.paths],
        }
        for point, path in zip(best, presets, strict=True)
    ]
    found = {
        "front": entries,
        "points": len(points),
        "stopped": sum(point.stopped for point in points),
        "pictures": sum(len(point.paths) for point in points),
    }
    document = {**found, "settings": search.settings(), "all": [line(p) for p in points]}
    text = json.dumps(document, ensure_ascii=False, indent=1)
    write_atomically(search.out / "tune.json", text.encode())
    write_atomically(search.out / "points.csv", _csv(search, points, best).encode())
    plot = _plot(search, points, best)
    write_atomically(search.out / "plot.svg", plot.encode())
    if best:
        write_atomically(search.out / "front.png", _grid(best))
    write_atomically(search.out / "report.html", _page(search, best, presets, plot).encode())
    return found


def line(point: Point) -> dict[str, Any]:
    """A point for JSON."""
    return {
        "values": point.values,
        "pictures": len(point.paths),
        "stopped": point.stopped,
        "metrics": {name: i.as_dict() for name, i in point.metrics.items()},
    }


def _presets(search: Search, best: Sequence[Point], roots: Sequence[Path]) -> list[Path]:
    """A file for each point of the front, numbered along the trade; those of before go."""
    folder = search.out / "front"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:02d}.json" for number in range(1, len(best) + 1)]
    for path, point in zip(paths, best, strict=True):
        text = embed_images(named(search, point), roots).to_json()
        write_atomically(path, f"{text}\n".encode())
    for path in folder.glob("[0-9]*.json"):
        if path not in paths:
            path.unlink()
    return paths


def _csv(search: Search, points: Sequence[Point], best: Sequence[Point]) -> str:
    table = io.StringIO()
    writer = csv.writer(table)
    fields = [one.field for one in search.ranges]
    scores = [f"{name}{part}" for name in search.metrics for part in ("", " low", " high")]
    writer.writerow([*fields, *scores, "pictures", "stopped", "front"])
    for point in points:
        row: list[Any] = [point.values[name] for name in fields]
        for name in search.metrics:
            got = point.metrics.get(name)
            row += [got.mean, got.low, got.high] if got else ["", "", ""]
        place = next((i for i, one in enumerate(best, 1) if one is point), "")
        writer.writerow([*row, len(point.paths), int(point.stopped), place])
    return table.getvalue()


def _plot(search: Search, points: Sequence[Point], best: Sequence[Point]) -> str:
    """The first two scores against each other; with one, it against the first field."""
    names = search.metrics
    dots = []
    for point in points:
        got = [point.metrics[name] for name in names[:2] if name in point.metrics]
        if len(got) < min(2, len(names)):
            continue
        kind = "front" if point in best else "stopped" if point.stopped else "point"
        up = got[-1]
        if len(names) > 1:
            x, reach = got[0].mean, (got[0].low, got[0].high)
        else:
            value = point.values[search.ranges[0].field]
            x, reach = float(value) if isinstance(value, int | float) else 0.0, None
        dots.append(Dot(x, up.mean, label(point), kind, reach, (up.low, up.high)))
    across = names[0] if len(names) > 1 else short(search.ranges[0].field)
    return scatter(dots, across, names[min(1, len(names) - 1)])


def label(point: Point) -> str:
    """A point's setting in words."""
    return setting(point.values)


def _grid(best: Sequence[Point]) -> bytes:
    """The front from left to right, the same prompt and seed in each line."""
    count = min(PICTURES, min(len(point.paths) for point in best))
    images = {}
    for column, point in enumerate(best):
        for line, path in enumerate(point.paths[:count]):
            image = open_checked(path, path.name).convert("RGB")
            images[column, line] = shrunk(image, len(best) * count)
    labels = Axis("", tuple(label(point) for point in best))
    buffer = io.BytesIO()
    grid: Image.Image = draw_grid(images, labels, Axis("picture", tuple(range(1, count + 1))))
    grid.save(buffer, "PNG")
    return buffer.getvalue()


def _page(search: Search, best: Sequence[Point], presets: Sequence[Path], plot: str) -> str:
    figures = "".join(
        f"<figure><img loading=lazy alt='' src='{_beside(point.paths[0], search.out)}'><figcaption>"
        f"<b>{html.escape(label(point))}</b><br>"
        + "<br>".join(
            f"{html.escape(name)} {i.mean:.4f} ({i.low:.4f} to {i.high:.4f})"
            for name, i in point.metrics.items()
        )
        + f"<br><a href='{_beside(path, search.out)}'>preset</a></figcaption></figure>"
        for point, path in zip(best, presets, strict=True)
    )
    traded = html.escape(" against ".join(search.metrics))
    return (
        f"<!doctype html><meta charset=utf-8><title>Trade-off</title><style>{STYLE}</style>"
        f"<h1>{traded}</h1>{plot}<h2>The front, from one end of the trade to the other</h2>"
        f"<main>{figures}</main>"
    )


def _beside(path: Path, out: Path) -> str:
    shown = path.relative_to(out) if path.is_relative_to(out) else path
    return html.escape(str(shown), quote=True)
