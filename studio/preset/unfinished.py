"""Pictures that were kept before they were finished: their preset's name says so, as long as it is
theirs. What is made with that preset afterwards is finished, and bears the name without the mark."""

from __future__ import annotations

import re

from studio.preset.bounds import most
from studio.preset.document import Preset

MARK = re.compile(r"\A(?:Untitled|(.*)) \(unfinished(?:, step \d+ of \d+)?\)\Z", re.DOTALL)


def unfinished(preset: Preset, at: str) -> Preset:
    """``preset`` under a name that says how far its picture is.

    Args:
        at: such as "step 3 of 20"; "" where that is not known.
    """
    mark = f" (unfinished, {at})" if at else " (unfinished)"
    return _called(preset, (preset.name or "Untitled")[: most(Preset, "name") - len(mark)] + mark)


def without_mark(preset: Preset) -> Preset:
    """``preset`` under the name that it had before its picture was kept unfinished."""
    marked = MARK.match(preset.name)
    return _called(preset, marked[1] or "") if marked else preset


def _called(preset: Preset, name: str) -> Preset:
    return preset.model_copy(update={"name": name})
