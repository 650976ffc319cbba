"""The small JSON files beside a model's weights, read without loading it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.files import read_regular
from studio.library.entry import ModelEntry
from studio.library.hub import in_cache

_MAX_BYTES = 2**20


def config_beside(entry: ModelEntry, name: str) -> dict[str, Any]:
    """A JSON file of a model's folder, or of the hub's cache; {} where there is none to read."""
    file = Path(entry.path) / name if entry.path else in_cache(entry.id, name)
    return _read(str(file), stamp(file)) if file else {}


def stamp(path: Path) -> float:
    """When a file was last changed; 0 where it cannot be said."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


@lru_cache(maxsize=64)
def _read(path: str, changed: float) -> dict[str, Any]:
    try:
        found = json.loads(read_regular(path, _MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}  # loading it says what is wrong
    return found if isinstance(found, dict) else {}
