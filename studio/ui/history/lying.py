"""The pictures that lie in the outputs folder, for as long as the history does not know them all."""

from __future__ import annotations

import time
from pathlib import Path

from studio.outputs import list_outputs, outputs_folder

SLOW = 0.1  # seconds of a look, from which on its answer is used again
LASTS = 20  # times as long as the look took,
MOST = 10.0  # seconds at most
_looked: tuple[Path, int, float, list[Path]] | None = None


def lying(limit: int) -> list[Path]:
    """The newest pictures, newest first: where it takes long to look for them, as among tens of
    thousands, those of a moment ago. What this page makes meanwhile it knows by itself."""
    global _looked
    folder, now = outputs_folder(), time.monotonic()
    if _looked is not None and _looked[:2] == (folder, limit) and now < _looked[2]:
        return list(_looked[3])
    found = list_outputs(limit)
    took = time.monotonic() - now
    _looked = (folder, limit, now + took + min(LASTS * took, MOST), found) if took > SLOW else None
    return found
