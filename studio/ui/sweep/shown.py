"""What the page shows of a sweep: its state, its cells as they come, one of them large."""

from __future__ import annotations

import base64
import os
import tempfile
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.errors import MissingFile, StudioError
from studio.experiments.sweeping import Shot
from studio.images import open_checked
from studio.preset import Preset
from studio.preset.sweep import Axis, around, axis_text
from studio.ui.errors import on_page
from studio.ui.sweep.sweeper import State, Sweeper
from studio.ui.widgets import FILE_META, fresh, jpeg_uri

EDGE = 192  # of a cell's small picture
AT_ONCE = 40  # cells of one answer


def state_of(state: State) -> dict[str, Any]:
    """Where a sweep stands; its cells are asked for besides."""
    asked = state.sweep
    return {
        "state": state.state,
        "text": state.text,
        "stem": asked.stem if asked else "",
        "axes": [{"field": axis.field, "values": list(axis.values)} for axis in asked.named]
        if asked
        else [],
        "made": len(state.made),
        "total": len(state.shots),
        "files": bool(state.grids),
        "version": state.version,
        "notes": _notes(state),
    }


def _notes(state: State) -> list[str]:
    """What is to be known of pictures that are made, and of how many of them."""
    made = Counter(note for _, line in state.made for note in line.get("notes", ()))
    return [
        f"{on_page(note)} · {count} of {len(state.made)} pictures" for note, count in made.items()
    ]


def cells_of(sweeper: Sweeper, stem: str, first: int) -> dict[str, Any]:
    """The cells that were finished from number ``first`` on, some at a time, in their order."""
    state = sweeper.state
    if state.sweep is None or state.sweep.stem != stem:
        return {"cells": []}
    found = state.made[max(0, first) :][:AT_ONCE]
    return {"cells": [_cell(shot, sweeper.folder) for shot, _ in found]}


def _cell(shot: Shot, folder: Path) -> dict[str, Any]:
    return {"place": place_of(shot), "seed": shot.seed, "src": small(folder / shot.name)}


def place_of(shot: Shot) -> list[int]:
    """Column, line and page."""
    return [shot.cell.column, shot.cell.line, shot.cell.page]


def small(path: Path) -> str:
    """A picture as a small one, "" where it cannot be read."""
    try:
        return jpeg_uri(open_checked(path, path.name), edge=EDGE)
    except StudioError:
        return ""  # its file has gone since; the place stays empty


def picture_of(sweeper: Sweeper, place: Any) -> dict[str, Any]:
    """One cell's picture as it is, preset included."""
    shot = shot_at(sweeper.state, place)
    try:
        data = (sweeper.folder / shot.name).read_bytes()
    except OSError as error:
        raise MissingFile("this picture is not there any more", field=shot.name) from error
    return {"src": f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"}


def shot_at(state: State, place: Any) -> Shot:
    """The picture at a place.

    Raises:
        StudioError: there is none.
    """
    for shot in state.shots:
        if place_of(shot) == place:
            return shot
    raise MissingFile("this cell is not there any more", field="sweep")


def around_cell(state: State, shot: Shot) -> tuple[Preset, list[dict[str, str]]]:
    """The cell's preset, and axes of numbers centred on it with half the step.

    Raises:
        StudioError: no axis is one of numbers.
    """
    axes = state.sweep.named if state.sweep else []
    values = (shot.cell.x, shot.cell.y, shot.cell.z)
    preset = shot.cell.preset
    found: list[Axis] = []
    for axis, value in zip(axes, values, strict=False):
        closer = around(preset, axis, value)
        found += [closer] if closer and len(closer.values) > 1 else []
    if not found:
        raise StudioError("no axis has numbers to go closer around", field="sweep")
    return preset, [{"field": axis.field, "values": axis_text(axis)} for axis in found]


def file_of(sweeper: Sweeper, what: str) -> dict[str, Any]:
    """A file to keep: the labelled grid (``png``), the table (``csv``) or the document (``json``).

    Grids of a third axis come as one ZIP file.

    Raises:
        StudioError: there is none yet, or no file of that kind.
    """
    state = sweeper.state
    if what not in ("png", "csv", "json"):
        raise StudioError(f"png, csv or json, got {what[:40]!r}", field="download")
    if state.sweep is None or not state.grids:
        raise StudioError("nothing is finished yet", field="download")
    names = state.grids if what == "png" else [f"{state.sweep.stem}.{what}"]
    paths = [sweeper.folder / name for name in names]
    for path in paths:
        if not path.is_file():
            raise MissingFile("is not there any more", field=path.name)
    path = paths[0] if len(paths) == 1 else _zipped(paths, state.sweep.stem)
    name = path.name if len(paths) == 1 else f"{state.sweep.stem}.zip"
    return fresh({"file": {"path": str(path), "meta": FILE_META, "orig_name": name}, "name": name})


def _zipped(paths: list[Path], stem: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=f"{stem}-", suffix=".zip")
    with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    return Path(name)


def looked(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer to a look at the axes, new each time."""
    return fresh(dict(answer))
