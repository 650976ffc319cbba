"""Sweeps of earlier days: what each was, its form and axes again, its files deleted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.errors import MissingFile, StudioError
from studio.preset import Preset, validate
from studio.preset.sweep import Axis, axis_text
from studio.ui.sweep.shown import small
from studio.ui.sweep.sweeper import Sweeps

MOST = 60  # of a list, the newest
_STEM = re.compile(r"sweep-[0-9a-f]{10}")
_GONE = "this sweep is not there any more"


def listed(folder: Path) -> list[dict[str, Any]]:
    """The sweeps of a folder, newest first: ``stem``, ``name`` of the preset, ``axes``, ``made`` of
    ``total`` pictures, ``when`` in seconds since 1970, ``src`` of the first picture. One that an
    earlier studio began and did not end says nothing of itself and is left out."""
    found = [path for path in folder.glob("sweep-*.json") if _STEM.fullmatch(path.stem)]
    lines = (_line(path) for path in sorted(found, key=_time, reverse=True)[:MOST])
    known = [line for line in lines if line is not None]
    return sorted(known, key=lambda line: line["when"], reverse=True)


def opened(folder: Path, stem: Any) -> tuple[Preset, list[dict[str, str]]]:
    """Its preset, and its axes as the page has them.

    Raises:
        StudioError: it is not there any more, or its document cannot be read.
    """
    document = _document(_path(folder, stem))
    axes = [{"field": axis.field, "values": axis_text(axis)} for axis in _axes(document)]
    if not axes:
        raise MissingFile(_GONE, field="sweep")
    return validate(document.get("preset")), axes


def delete(sweeps: Sweeps, key: str, stem: Any) -> None:
    """Remove its pictures, grids and tables from the session's folder.

    Raises:
        StudioError: it runs, is not there any more, or a file cannot be removed.
    """
    folder = sweeps.of(key).folder
    path = _path(folder, stem)
    if sweeps.running(folder, path.stem):
        raise StudioError("one runs already; stop it first", field="sweep")
    own = re.compile(rf"{re.escape(path.stem)}[.-].*")
    try:
        for file in [one for one in folder.iterdir() if own.fullmatch(one.name)]:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise StudioError(f"cannot be removed ({error})", field=path.name) from error


def _path(folder: Path, stem: Any) -> Path:
    path = folder / f"{stem}.json"
    if not (isinstance(stem, str) and _STEM.fullmatch(stem) and path.is_file()):
        raise MissingFile(_GONE, field="sweep")
    return path


def _line(path: Path) -> dict[str, Any] | None:
    document = _document(path)
    axes = _axes(document)
    if not axes:
        return None
    preset = document.get("preset")
    name = preset.get("name") if isinstance(preset, dict) else ""
    pictures = sorted(path.parent.glob(f"{path.stem}-x*-seed*.png"))
    return {
        "stem": path.stem,
        "name": str(name or ""),
        "axes": [{"field": axis.field, "count": len(axis.values)} for axis in axes],
        "made": len(pictures),
        "total": math.prod(len(axis.values) for axis in axes),
        "when": max(map(_time, pictures), default=_time(path)),  # its document is written anew
        "src": small(pictures[0]) if pictures else "",
    }


def _axes(document: Mapping[str, Any]) -> list[Axis]:
    found = (document.get(side) for side in "xyz")
    return [
        Axis(str(one.get("field", "")), tuple(one["values"]))
        for one in found
        if isinstance(one, dict) and isinstance(one.get("values"), list) and one["values"]
    ]


def _document(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def _time(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
