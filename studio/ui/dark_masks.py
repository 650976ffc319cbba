"""Masks that are black all over: what has one does nothing, which is said beside the plan."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from studio.errors import StudioError
from studio.images import resolve_mask
from studio.preset import Preset


def notes_of(preset: Preset) -> Iterator[str]:
    """A line for each row that acts nowhere, and for a start of which nothing is painted anew."""
    for index, row in preset.active_rows():
        if row.mask and _is_black(row.mask):
            yield f"rows.{index}: its mask is black all over, so it acts nowhere"
    if preset.init and preset.init.mask and _is_black(preset.init.mask):
        yield "init.mask: is black all over, so nothing of the picture is painted anew"


@lru_cache(maxsize=256)
def _is_black(reference: str) -> bool:
    """Of a picture that is kept by its content; one that cannot be read is said elsewhere."""
    try:
        return resolve_mask(reference).getextrema()[1] == 0
    except StudioError:
        return False
