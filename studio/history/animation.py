"""Pictures of the history as one that moves: GIF, or WebP."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageOps

from studio.errors import MissingFile, StudioError, shorten, some_of
from studio.history.archive import TOLD
from studio.history.store import History
from studio.images import open_checked, to_rgb

MOST_MOVING, EDGE = 100, 1024
SLOWEST, FASTEST = 0.1, 30.0  # pictures a second
KINDS = {"webp": "WEBP", "gif": "GIF"}
SMALLER = f"the pictures are made smaller, so that no side passes {EDGE} pixels"


class Frames:
    """Pictures of one size, each read as it is asked for: together they may be larger than the memory."""

    def __init__(self, files: Sequence[Path], size: tuple[int, int]) -> None:
        self.files, self.size = files, size

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, at: int) -> Image.Image:
        return _on_white(_small(self.files[at])[0], self.size)


class _InTurn(Image.Image):
    """Frames as one picture of several, of which one is held at a time."""

    def __init__(self, frames: Frames, order: Sequence[int]) -> None:
        super().__init__()
        self._frames, self._order = frames, order
        self._mode, self._size, self.n_frames = "RGB", frames.size, len(order)
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        self._at = frame
        self.im = self._frames[self._order[frame]].im

    def tell(self) -> int:
        return self._at


class Moving(NamedTuple):
    """Pictures of one size; the names of those that cannot be read, and what is said of their size."""

    frames: Frames
    lost: list[str]
    smaller: str

    def write(self, file: BinaryIO, kind: str, rate: float, back: bool = False) -> None:
        """All of them again and again, ``rate`` a second, without presets.

        Args:
            kind: one of :data:`KINDS`. back: also from the last to the first.
        """
        order = [*range(len(self.frames))]
        more = {"quality": 90} if kind == "webp" else {}
        _InTurn(self.frames, [*order, *(order[-2:0:-1] if back else ())]).save(
            file,
            KINDS[kind],
            save_all=True,
            duration=round(1000 / rate),
            loop=0,
            **more,
        )


def moving(history: History, ids: Sequence[str], oldest_first: bool = False) -> Moving:
    """The pictures one after the other: in their order, or as they were made. One that is not in the
    history any more counts as one that cannot be read.

    Raises:
        StudioError: too many, or fewer than two that can be read and differ.
    """
    if not 2 <= len(ids) <= MOST_MOVING:
        raise StudioError(f"an animation holds 2 to {MOST_MOVING} pictures, got {len(ids)}")
    records, gone = [], []
    for one in ids:
        try:
            records.append(history.get(one))
        except MissingFile:
            gone.append(one)
    if oldest_first:
        records.sort(key=lambda record: record.made)
    return in_turn([history.file(record) for record in records], gone)


def in_turn(files: Sequence[Path], lost: Sequence[str] = ()) -> Moving:
    """Pictures as frames of one size, each as large as fits, in the middle on white.

    Args:
        lost: the names of others that are not there.

    Raises:
        StudioError: fewer than two can be read, naming the others, or all are alike.
    """
    found: list[Path] = []
    left, sizes, looks = [*lost], set(), set()
    reduced = False
    for file in files:
        try:
            picture, is_smaller = _small(file)
        except StudioError:
            left.append(file.name)
            continue
        reduced = reduced or is_smaller
        found.append(file)
        sizes.add(picture.size)
        looks.add((picture.size, hashlib.sha256(picture.tobytes()).digest()))
    if len(found) < 2:
        raise StudioError(f"fewer than 2 of the pictures can be read, not {some_of(left, TOLD)}")
    if len(looks) < 2:
        raise StudioError("an animation of one and the same picture would stand still")
    wide, high = (max(side) for side in zip(*sizes, strict=True))
    return Moving(Frames(found, (wide, high)), left, SMALLER if reduced else "")


def _small(file: Path) -> tuple[Image.Image, bool]:
    """A picture as large as a frame may be, and whether it was larger."""
    picture = to_rgb(open_checked(file, file.name))
    larger = max(picture.size) > EDGE
    picture.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    return picture, larger


def read_rate(given: object, field: str = "rate") -> float:
    """Pictures a second; ``field``: where it is given.

    Raises:
        StudioError: no number, or out of bounds.
    """
    known = isinstance(given, int | float) and not isinstance(given, bool)
    if not known or not SLOWEST <= given <= FASTEST:  # type: ignore[operator]
        said = f"{SLOWEST:g} to {FASTEST:g} pictures a second, got {shorten(given)}"
        raise StudioError(said, field=field)
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
