"""Sweeps of earlier days: what each was, its form and axes again, its files deleted."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.errors import MissingFile, StudioError
from studio.experiments.swept_styles import data_of, held_in
from studio.preset import Preset, validate
from studio.preset.sweep import Axis, axis_text
from studio.ui.sweep.shown import small
from studio.ui.sweep.sweeper import Sweeps

MOST = 60  # of a list, the newest
_STEM = re.compile(r"sweep-[0-9a-f]{10}")
_PICTURE = re.compile(r"-x.*-seed.*\.png")
_GONE = "this sweep is not there any more"


def listed(folder: Path) -> list[dict[str, Any]]:
    """The sweeps of a folder, newest first: ``stem``, ``name`` of the preset, ``axes``, ``made`` of
    ``total`` pictures, ``when`` in seconds since 1970, ``src`` of the first picture. One that an
    earlier studio began and did not end says nothing of itself and is left out."""
    files = _files(folder)
    found = [(stem, own[".json"]) for stem, own in files.items() if ".json" in own]
    newest = sorted(found, key=lambda one: one[1], reverse=True)[:MOST]
    lines = (_line(folder, stem, files[stem]) for stem, _ in newest)
    known = [line for line in lines if line is not None]
    return sorted(known, key=lambda line: line["when"], reverse=True)


def opened(folder: Path, stem: Any) -> tuple[Preset, list[dict[str, Any]]]:
    """Its preset, and its axes as the page has them: with what their styles held then.

    Raises:
        StudioError: it is not there any more, or its document cannot be read.
    """
    document = _document(_path(folder, stem))
    axes = [_as_asked(axis) for axis in _axes(document)]
    if not axes:
        raise MissingFile(_GONE, field="sweep")
    return validate(document.get("preset")), axes


def _as_asked(axis: Axis) -> dict[str, Any]:
    held = {"styles": data_of(axis)["styles"]} if axis.styles else {}
    return {"field": axis.field, "values": axis_text(axis), **held}


def delete(sweeps: Sweeps, key: str, stem: Any) -> None:
    """Remove its pictures, grids and tables from the session's folder.

    Raises:
        StudioError: it runs, is not there any more, or a file cannot be removed.
    """
    folder = sweeps.of(key).folder
    path = _path(folder, stem)
    if sweeps.running(folder, path.stem):
        raise StudioError("one runs already; stop it first", field="sweep")
    try:
        # The document last: what is left where one cannot be removed is listed still.
        for rest in sorted(_files(folder).get(path.stem, ()), key=lambda rest: rest == ".json"):
            (folder / f"{path.stem}{rest}").unlink(missing_ok=True)
    except OSError as error:
        raise StudioError(f"cannot be removed ({error})", field=path.name) from error
    sweeps.of(key).forget(path.stem)


def _path(folder: Path, stem: Any) -> Path:
    path = folder / f"{stem}.json"
    if not (isinstance(stem, str) and _STEM.fullmatch(stem) and path.is_file()):
        raise MissingFile(_GONE, field="sweep")
    return path


def _files(folder: Path) -> dict[str, dict[str, float]]:
    """The files of every sweep by its stem: what follows that in their names, and when each changed."""
    found: dict[str, dict[str, float]] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            stem = _STEM.match(entry.name)
            rest = entry.name[stem.end() :] if stem else ""
            if stem and rest.startswith((".", "-")):
                with suppress(OSError):  # it has gone meanwhile
                    found.setdefault(stem[0], {})[rest] = entry.stat().st_mtime
    return found


def _line(folder: Path, stem: str, files: Mapping[str, float]) -> dict[str, Any] | None:
    document = _document(folder / f"{stem}.json")
    axes = _axes(document)
    if not axes:
        return None
    preset = document.get("preset")
    name = preset.get("name") if isinstance(preset, dict) else ""
    pictures = sorted(rest for rest in files if _PICTURE.fullmatch(rest))
    first = pictures[0] if pictures else ""
    return {
        "stem": stem,
        "name": str(name or ""),
        "axes": [{"field": axis.field, "count": len(axis.values)} for axis in axes],
        "made": len(pictures),
        "total": math.prod(len(axis.values) for axis in axes),
        # Its document is written anew.
        "when": max((files[rest] for rest in pictures), default=files[".json"]),
        "src": _small(folder / f"{stem}{first}", files[first]) if first else "",
    }


@lru_cache(maxsize=4 * MOST)
def _small(path: Path, when: float) -> str:
    """``when``: its last change, as the picture of an earlier one is kept."""
    return small(path)


def _axes(document: Mapping[str, Any]) -> list[Axis]:
    found = (document.get(side) for side in "xyz")
    return [
        Axis(str(one.get("field", "")), tuple(one["values"]), held_in(one))
        for one in found
        if isinstance(one, dict) and isinstance(one.get("values"), list) and one["values"]
    ]


def _document(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}
