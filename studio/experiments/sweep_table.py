"""A sweep's pictures, or the scores of its cells, as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from studio.preset.sweep import Axis


def table_of(
    axes: Sequence[Axis | None],
    lines: Sequence[Mapping[str, Any]],
    scores: Sequence[Mapping[str, Any]],
    names: Sequence[str],
) -> str:
    """As CSV: a line for each picture, or for each cell where there are scores of these names."""
    table = io.StringIO()
    writer = csv.writer(table)
    named = [(side, axis) for side, axis in zip("xyz", axes, strict=True) if axis is not None]
    fields, keys = [axis.varied for _, axis in named], [side for side, _ in named]
    if scores:
        writer.writerow([*fields, *(f"{n}{part}" for n in names for part in ("", " low", " high"))])
        for line in scores:
            got = [line["metrics"][name] for name in names]
            numbers = [one[part] for one in got for part in ("mean", "low", "high")]
            writer.writerow([*(line[key] for key in keys), *numbers])
    else:
        writer.writerow([*fields, "seed", "path"])
        for line in lines:
            writer.writerow([*(line[key] for key in keys), line["seed"], line["path"]])
    return table.getvalue()
