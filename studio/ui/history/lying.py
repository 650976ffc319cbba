"""The pictures that lie in the outputs folder, for as long as the history does not know them all."""

from __future__ import annotations

import time
from pathlib import Path

from studio.outputs import list_outputs, outputs_folder

SLOW = 0.1  # seconds of a look, from which on its answer is used again
LASTS = 20  # times as long as the look took,
MOST = 10.0  # seconds at most
_looked: tuple[tuple[Path, int, bool], float, list[Path]] | None = None


def lying(limit: int, since: str | None = None) -> list[Path]:
    """The newest pictures, newest first: where it takes long to look for them, as among tens of
    thousands, those of a moment ago. What this page makes meanwhile it knows by itself.

    Args:
        since: as :func:`~studio.outputs.list_outputs` has it, which is quicker.
    """
    global _looked
    asked, now = (outputs_folder(), limit, since is None), time.monotonic()
    if _looked is not None and _looked[0] == asked and now < _looked[1]:
        return list(_looked[2])
    found = list_outputs(limit, since=since)
    took = time.monotonic() - now
    _looked = (asked, now + took + min(LASTS * took, MOST), found) if took > SLOW else None
    return found
