"""Pictures of the history as one that moves: GIF, or WebP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageOps

from studio.errors import StudioError, shorten, some_of
from studio.history.archive import TOLD
from studio.history.store import History
from studio.images import open_checked, to_rgb

MOST_MOVING, EDGE = 100, 1024
SLOWEST, FASTEST = 0.1, 30.0  # pictures a second
KINDS = {"webp": "WEBP", "gif": "GIF"}
SMALLER = f"the pictures are made smaller, so that no side passes {EDGE} pixels"


class Moving(NamedTuple):
    """Pictures of one size; the names of those that cannot be read, and what is said of their size."""

    frames: list[Image.Image]
    lost: list[str]
    smaller: str

    def write(self, file: BinaryIO, kind: str, rate: float, back: bool = False) -> None:
        """All of them again and again, ``rate`` a second, without presets.

        Args:
            kind: one of :data:`KINDS`. back: also from the last to the first.
        """
        frames = [*self.frames, *(self.frames[-2:0:-1] if back else ())]
        first, *others = frames
        more = {"quality": 90} if kind == "webp" else {}
        first.save(
            file,
            KINDS[kind],
            save_all=True,
            append_images=others,
            duration=round(1000 / rate),
            loop=0,
            **more,
        )


def moving(history: History, ids: Sequence[str]) -> Moving:
    """The pictures from the oldest to the newest, as they were made.

    Raises:
        StudioError: too many, or fewer than two that can be read.
    """
    if not 2 <= len(ids) <= MOST_MOVING:
        raise StudioError(f"an animation holds 2 to {MOST_MOVING} pictures, got {len(ids)}")
    records = sorted((history.get(one) for one in ids), key=lambda record: record.made)
    return in_turn([history.file(record) for record in records])


def in_turn(files: Sequence[Path]) -> Moving:
    """Pictures as frames of one size, each as large as fits, in the middle on white.

    Raises:
        StudioError: fewer than two can be read; names the others.
    """
    found, lost = [], []
    reduced = False
    for file in files:
        try:
            picture = to_rgb(open_checked(file, file.name))
        except StudioError:
            lost.append(file.name)
            continue
        reduced = reduced or max(picture.size) > EDGE
        picture.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
        found.append(picture)
    if len(found) < 2:
        raise StudioError(f"fewer than 2 of the pictures can be read, not {some_of(lost, TOLD)}")
    wide, high = (max(side) for side in zip(*(one.size for one in found), strict=True))
    frames = [_on_white(one, (wide, high)) for one in found]
    return Moving(frames, lost, SMALLER if reduced else "")


def read_rate(given: object) -> float:
    """Pictures a second.

    Raises:
        StudioError: no number, or out of bounds.
    """
    known = isinstance(given, int | float) and not isinstance(given, bool)
    if not known or not SLOWEST <= given <= FASTEST:  # type: ignore[operator]
        said = f"{SLOWEST:g} to {FASTEST:g} pictures a second, got {shorten(given)}"
        raise StudioError(said, field="rate")
    return float(given)  # type: ignore[arg-type]


def read_kind(given: object) -> str:
    """``webp`` or ``gif``.

    Raises:
        StudioError: another.
    """
    if given not in KINDS:
        raise StudioError(f"{' or '.join(KINDS)}, got {shorten(given)}", field="kind")
    return str(given)


def _on_white(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture if picture.size == size else ImageOps.pad(picture, size, color="white")
