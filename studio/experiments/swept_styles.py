"""What the styles of a sweep hold, kept with it: one that is changed or gone since changes none of its
pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.errors import MissingFile
from studio.preset.style_axis import STYLE, styles_of
from studio.preset.styles import Style, as_data, style_of
from studio.preset.sweep import Axis

Axes = tuple[Axis, Axis | None, Axis | None]


def holding(axes: Axes) -> Axes:
    """The axes with what their styles are: as they hold it already, else as it is now.

    Raises:
        StudioError: as :func:`studio.preset.style_axis.styles_of`.
    """
    x, y, z = (_holding(axis) if axis else None for axis in axes)
    assert x is not None
    return x, y, z


def _holding(axis: Axis) -> Axis:
    if axis.field != STYLE:
        return axis
    return replace(axis, styles=styles_of(axis.values, axis.styles))


def held_before(axes: Axes, folder: Path) -> Iterator[tuple[str, Axes]]:
    """The axes with what their styles were in each sweep of the folder over the same, the newest first,
    and what its files' names begin with."""
    found = sorted(folder.glob("sweep-*.json"), key=_when, reverse=True)
    for path in found:
        with suppress(OSError, ValueError, RecursionError):
            document = json.loads(path.read_text(encoding="utf-8"))
            read = [_read(document, side, axis) for side, axis in zip("xyz", axes, strict=True)]
            if read[0] is not None and [*map(_plain, read)] == [*map(_plain, axes)]:
                yield path.stem, (read[0], read[1], read[2])


def _when(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _plain(axis: Axis | None) -> Any:
    return None if axis is None else (axis.field, list(axis.values))


def _read(document: Any, side: str, axis: Axis | None) -> Axis | None:
    found = document.get(side) if isinstance(document, dict) else None
    if axis is None or not isinstance(found, dict) or not isinstance(found.get("values"), list):
        return None
    held = held_in(found) if axis.field == STYLE else axis.styles
    return Axis(str(found.get("field")), tuple(found["values"]), held)


def held_in(axis: Mapping[str, Any]) -> tuple[Style, ...]:
    """The styles that an axis of a document holds, those among them that can be used."""
    given = axis.get("styles")
    known = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return tuple(one for one in (style_of(data, "") for data in known) if not one.problem)


def data_of(axis: Axis) -> dict[str, Any]:
    """An axis as a sweep's document has it."""
    held = {"styles": [as_data(style) for style in axis.styles]} if axis.styles else {}
    return {"field": axis.field, "values": list(axis.values), **held}


def gone(axes: Sequence[Axis | None]) -> bool:
    """Whether a style of the axes is not here any more."""
    for axis in axes:
        if axis is not None and axis.field == STYLE:
            try:
                styles_of(axis.values, axis.styles)
            except MissingFile:
                return True
    return False
