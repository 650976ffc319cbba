"""Pictures: checked, counted, brought to the family's size; and the order they come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from studio.errors import StudioError
from studio.files import is_text, shown
from studio.images import open_checked, to_rgb
from studio.train.folder import few, find_pictures

__all__ = ["Order", "find_pictures", "fitted", "look_at", "mixed", "open_picture", "usable"]

MAX_STRETCH = 4.0  # pictures longer than 4:1 are squeezed to that


def open_picture(path: Path) -> tuple[Image.Image, str, bool]:
    """One picture as upright RGB, the mode that had to be converted ("" for none), and whether it
    moves: of such a one it is the first frame.

    Raises:
        StudioError: damaged, not a picture, or too large; names the file.
    """
    image = open_checked(path, path.name)
    mode = "" if image.mode in ("RGB", "L") else image.mode
    return to_rgb(image), mode, getattr(image, "n_frames", 1) > 1


def sides(image: Image.Image) -> str:
    """Width and height, such as ``640x480``."""
    return "x".join(map(str, image.size))


@dataclass(frozen=True)
class Looked:
    """What looking at one file found: a picture that can be used, or why it cannot.

    ``converted``: its mode, where that is another; ``moves``: its first frame is taken. ``squeezed``:
    the size of one that is longer than pictures may be, ``small``: of one that is enlarged to more
    than twice its sides.
    """

    path: Path
    converted: str = ""
    moves: bool = False
    problem: str = ""
    squeezed: str = ""
    small: str = ""


def look_at(paths: Iterable[Path], edge: int = 0) -> Iterator[Looked]:
    """Open each file in turn; none of them can stop the others. ``edge``: of what is trained on."""
    for path in paths:
        if not is_text(path.name):
            yield Looked(path, problem="its name is not UTF-8; give it another")
            continue
        try:
            image, mode, moves = open_picture(path)
            long = max(image.size) > MAX_STRETCH * min(image.size)
            small = 4 * image.width * image.height < edge**2
            size = sides(image)
            yield Looked(path, mode, moves, squeezed=size * long, small=size * small)
        except StudioError as error:
            yield Looked(path, problem=error.message)


def usable(looked: Sequence[Looked]) -> tuple[list[Path], list[str]]:
    """Those that can be used, and one line for each kind of thing that was skipped or converted.

    Raises:
        StudioError: none of them can be used; says why.
    """
    good = [item for item in looked if not item.problem]
    skipped = [f"{shown(item.path.name)} ({item.problem})" for item in looked if item.problem]
    converted = [f"{item.path.name} ({item.converted})" for item in good if item.converted]
    notes = []
    if skipped:
        notes.append(f"Pictures skipped ({len(skipped)} of {len(looked)}): {few(skipped)}")
    if converted:
        notes.append(f"Pictures converted ({len(converted)}): {few(converted)}")
    if moving := [item.path.name for item in good if item.moves]:
        notes.append(f"Pictures whose first frame is taken ({len(moving)}): {few(moving)}")
    if squeezed := [f"{item.path.name} ({item.squeezed})" for item in good if item.squeezed]:
        notes.append(f"Pictures squeezed to {MAX_STRETCH:g}:1 ({len(squeezed)}): {few(squeezed)}")
    if small := [f"{item.path.name} ({item.small})" for item in good if item.small]:
        notes.append(f"Pictures enlarged to more than twice ({len(small)}): {few(small)}")
    if not good:
        raise StudioError(f"no picture can be used; {notes[0]}", field="images")
    if len(good) == 1:
        notes.append("only one picture: the result will know the target from one side only")
    return [item.path for item in good], notes


def fitted(size: tuple[int, int], edge: int, multiple: int) -> tuple[int, int]:
    """Width and height of about ``edge``² pixels in the picture's own aspect; nothing is cropped.

    Both are multiples of ``multiple``; a square becomes exactly ``edge`` × ``edge``.
    """
    ratio = min(MAX_STRETCH, max(1 / MAX_STRETCH, size[0] / size[1]))
    width, height = edge * ratio**0.5, edge / ratio**0.5
    width, height = (max(multiple, round(side / multiple) * multiple) for side in (width, height))
    return width, height


class Order:
    """Which pictures make up which batch, from the seed and the batch's number alone.

    Every epoch shuffles the pictures and cuts them into batches of one shape each; a last batch
    that is too short is filled from the start of its shuffle. Nothing is carried from one batch
    to the next, so that a resumed training sees what an uninterrupted one would.

    Args:
        shapes: the shape of each picture.
        batch: pictures in one batch, over all processes.
        seed: of the shuffles.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], batch: int, seed: int) -> None:
        self.batch, self.seed = batch, seed
        self.groups: dict[tuple[int, ...], list[int]] = {}
        for index, shape in enumerate(shapes):
            self.groups.setdefault(tuple(shape), []).append(index)
        self.per_epoch = sum(-(-len(group) // batch) for group in self.groups.values())
        self._made: tuple[int, list[list[int]]] = (-1, [])

    def indices(self, number: int) -> list[int]:
        """Pictures of batch ``number``, counted from 0."""
        epoch, place = divmod(number, self.per_epoch)
        if self._made[0] != epoch:
            self._made = (epoch, self._shuffled(epoch))
        return self._made[1][place]

    def _shuffled(self, epoch: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(mixed(self.seed, 1, epoch))
        batches = []
        for _, group in sorted(self.groups.items()):
            shuffled = [group[i] for i in torch.randperm(len(group), generator=generator)]
            count = -(-len(group) // self.batch)
            filled = shuffled * (1 + self.batch * count // len(group))
            batches += [filled[i * self.batch : (i + 1) * self.batch] for i in range(count)]
        return [batches[i] for i in torch.randperm(len(batches), generator=generator)]


def mixed(seed: int, *parts: int) -> int:
    """One seed from several numbers, far apart for neighbours."""
    value = seed
    for part in parts:
        value = (value * 6364136223846793005 + part * 1442695040888963407 + 1) % 2**63
    return value
