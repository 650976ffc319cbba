"""Whether two models have one architecture, from the headers of their files alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from studio.errors import StudioError, shorten
from studio.library.entry import ModelEntry
from studio.library.families import family_of
from studio.library.family import UNET, shapes_of
from studio.library.guard import header_of
from studio.library.weight_files import weight_files

# Of a network that reads a mask and a picture, the one tensor that is wider than its base's.
FIRST = ("conv_in.weight", "input_blocks.0.0.weight")
# Tensors that are no weights, or the same one under a second name.
NO_WEIGHTS = re.compile(r"(^|[./])(position_ids|logit_scale)$|^encoder\.embed_tokens\.weight$")


def check_shapes(first: ModelEntry, other: ModelEntry, place: str) -> None:
    """Refuse denoising networks whose tensors differ in name or shape; one may be a file of names that
    the other does not have, of which reading them says more.

    Raises:
        StudioError: names the place, the tensor, and what differs.
    """
    if first.one_file != other.one_file:
        return
    mine, theirs = _network(first), _network(other)
    if first.one_file and not mine.keys() & theirs.keys():
        return  # in the names of the original code, and of diffusers
    for absent, there, here in (
        (mine.keys() - theirs.keys(), other.id, first.id),
        (theirs.keys() - mine.keys(), first.id, other.id),
    ):
        if absent and mine and theirs:
            raise StudioError(
                f"{shorten(there)} has no {min(absent)}, which {shorten(here)} has; only models of one architecture can be merged",
                field=place,
            )
    for name in sorted(mine.keys() & theirs.keys()):
        refuse_other_shape(name, (first.id, mine[name]), (other.id, theirs[name]), place)


def refuse_other_shape(
    name: str, mine: tuple[str, tuple[int, ...]], theirs: tuple[str, tuple[int, ...]], place: str
) -> None:
    """Refuse a tensor whose shape is another, but for a first convolution of A that reads further
    channels.

    Args:
        mine, theirs: id of each model, and its tensor's shape.

    Raises:
        StudioError: names the place, the tensor and both shapes.
    """
    (own, a), (other, b) = mine, theirs
    wider = name.endswith(FIRST) and a[:1] == b[:1] and a[2:] == b[2:] and a[1] > b[1]
    if a != b and not wider:
        raise StudioError(
            f"{name} is {_by(b)} in {shorten(other)}, in {shorten(own)} {_by(a)}; "
            f"only models of one architecture can be merged",
            field=place,
        )


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "1"


def _network(entry: ModelEntry) -> Mapping[str, tuple[int, ...]]:
    """Shapes of the denoising network's tensors; {} where a header cannot be read."""
    path, part = Path(entry.path), family_of(entry.family).part
    files = weight_files(path)
    inside = [file for file in files if file.parent.name == part] or files
    found: dict[str, tuple[int, ...]] = {}
    for file in inside:
        try:
            found |= shapes_of(header_of(file))
        except (OSError, ValueError):
            return {}  # reading it says what is wrong
    if entry.one_file and any(name.startswith(UNET) for name in found):
        return {name: shape for name, shape in found.items() if name.startswith(UNET)}
    return found
