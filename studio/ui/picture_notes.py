"""What is said of a preset's pictures beside the plan: what is cut or squeezed, what masks all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TypeVar

from studio.errors import StudioError
from studio.images import resolve, resolve_mask
from studio.preset import Preset

T = TypeVar("T")
MOST_KEPT = 256  # of what was found, each
ASPECT_TOLERANCE = 0.02  # of what is no more than a rounded pixel


def notes_of(preset: Preset, size: tuple[int, int]) -> Iterator[str]:
    """A line for each picture of another aspect than the one to be made, each row that acts nowhere,
    and a start of which nothing is painted anew.

    Args:
        size: of the picture to be made.
    """
    shown = [("init.image", preset.init.image, "its middle is taken")] if preset.init else []
    for index, row in preset.active_rows():
        if row.image:
            shown.append((f"rows.{index}.image", row.image, "its middle is taken"))
        if row.control and row.control.image:
            shown.append((f"rows.{index}.control.image", row.control.image, "it is squeezed"))
        if row.mask and _is_black(row.mask):
            yield f"rows.{index}: its mask is black all over, so it acts nowhere"
    for field, reference, becomes in shown:
        width, height = _size(reference)
        if height and abs(width / height / (size[0] / size[1]) - 1) > ASPECT_TOLERANCE:
            yield f"{field}: {becomes}, {width}x{height} to {size[0]}x{size[1]}"
    if preset.init and preset.init.mask and _is_black(preset.init.mask):
        yield "init.mask: is black all over, so nothing of the picture is painted anew"


def _kept_by_digest(look: Callable[[str], T]) -> Callable[[str], T]:
    """Looks once at a picture; only a digest is kept of a reference, which may hold all of it."""
    found: dict[bytes, T] = {}

    def looked(reference: str) -> T:
        key = hashlib.sha256(reference.encode("utf-8", "surrogatepass")).digest()
        try:
            return found[key]
        except KeyError:
            said = look(reference)
        if len(found) >= MOST_KEPT:
            found.clear()
        return found.setdefault(key, said)

    return looked


@_kept_by_digest
def _is_black(reference: str) -> bool:
    """Of a picture that is kept by its content; one that cannot be read is said elsewhere."""
    try:
        return resolve_mask(reference).getextrema()[1] == 0
    except StudioError:
        return False


@_kept_by_digest
def _size(reference: str) -> tuple[int, int]:
    """Width and height of a picture that is kept by its content; 0 of one that cannot be read."""
    try:
        return resolve(reference).size
    except StudioError:
        return 0, 0
