"""Whether two models have one architecture, from the headers of their files alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from studio.errors import StudioError, shorten
from studio.library.entry import ModelEntry
from studio.library.families import family_of
from studio.library.family import UNET, shapes_of
from studio.library.guard import header_of
from studio.library.weight_files import weight_files

# Of a network that reads a mask and a picture, the one tensor that is wider than its base's.
FIRST = ("conv_in.weight", "input_blocks.0.0.weight")
_LAST = ("conv_out.weight", ".out.2.weight")  # gives the latent's channels
NO_WEIGHTS = re.compile(r"(^|[./])(position_ids|logit_scale)$")  # of a network's tensors


def check_shapes(first: ModelEntry, other: ModelEntry, place: str, wider: bool = True) -> None:
    """Refuse denoising networks whose tensors differ in name or shape; one may be a file of names that
    the other does not have, of which reading them says more.

    Args:
        wider: whether the first may read further channels than the latent, which the other reads.

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
        if mine and theirs:
            refuse_lacking(absent, there, here, place)
    latent = latent_channels(theirs) if wider else 0
    for name in sorted(mine.keys() & theirs.keys()):
        refuse_other_shape(name, (first.id, mine[name]), (other.id, theirs[name]), place, latent)


def refuse_lacking(absent: Collection[str], there: str, here: str, place: str) -> None:
    """Refuse what has not all tensors of another; none is no reason to.

    Args:
        absent: the tensors' names. there, here: ids of the one that lacks them, and of the other.

    Raises:
        StudioError: names the place and the first of them.
    """
    if absent:
        raise StudioError(
            f"{shorten(there)} has no {min(absent)}, which {shorten(here)} has; only models of one "
            "architecture can be merged",
            field=place,
        )


def latent_channels(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many channels a U-Net gives, from its tensors' shapes; 0 for another network."""
    return next((shape[0] for name, shape in shapes.items() if name.endswith(_LAST)), 0)


def refuse_other_shape(
    name: str,
    mine: tuple[str, tuple[int, ...]],
    theirs: tuple[str, tuple[int, ...]],
    place: str,
    latent: int,
) -> None:
    """Refuse a tensor whose shape is another, but for a first convolution of mine that reads further
    channels than the latent alone, which is what the other reads.

    Args:
        mine, theirs: id of each model, and its tensor's shape.
        latent: the latent's channels; 0 where no tensor may be wider.

    Raises:
        StudioError: names the place, the tensor and both shapes.
    """
    (own, a), (other, b) = mine, theirs
    first = name.endswith(FIRST) and a[:1] == b[:1] and a[2:] == b[2:]
    wider = first and a[1] > b[1] == latent
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
