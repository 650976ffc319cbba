"""What is said of a preset's pictures beside the plan: what is cut or squeezed, what masks all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from studio.errors import BadPreset, StudioError
from studio.images import misfit, resolve, resolve_mask, same_aspect
from studio.preset import Init, Preset

T = TypeVar("T")
MIDDLE, SQUEEZED = "its middle is taken", "it is squeezed"
MOST_KEPT = 256  # of what was found, each


def notes_of(preset: Preset, size: tuple[int, int]) -> Iterator[str]:
    """A line for each picture of another aspect than the one to be made, a start that is larger, each
    row that acts nowhere, the masks that are refused when it is made, and a start of which nothing is painted anew.

    Args:
        size: of the picture to be made.
    """
    shown = []
    if preset.init and preset.init.framed:
        whole = size_of(preset.init.image)
        yield from _of_the_area(whole, size)
        size = whole if whole[1] else size  # rows' masks are of all of it
    elif preset.init:
        shown.append(("init.image", preset.init.image, MIDDLE))
        yield from _of_the_size(size_of(preset.init.image), size)
    for index, row in preset.active_rows():
        if row.image:
            shown.append((f"rows.{index}.image", row.image, MIDDLE))
        for name, control in row.all_controls.items():
            if control.image:
                shown.append((f"rows.{index}.{name}.image", control.image, SQUEEZED))
        if row.mask and _is_black(row.mask):
            yield f"rows.{index}: its mask is black all over, so it acts nowhere"
    for field, reference, becomes in shown:
        given = size_of(reference)
        if _misfits(given, size):
            yield f"{field}: {becomes}, {_pixels(given)} to {_pixels(size)}"
    yield from _misfitting_rows(preset, size)
    if preset.init and preset.init.mask:
        yield from _of_the_start(preset.init)


def of_many(field: str, references: Sequence[str], size: tuple[int, int]) -> str:
    """One line on the pictures that stand at ``field`` in turn and are cut or squeezed; "" for none."""
    part = field if field == "init.image" else field.split(".", 2)[-1]
    part = "control.image" if part.startswith("control") else part
    becomes = {"init.image": MIDDLE, "image": MIDDLE, "control.image": SQUEEZED}.get(part)
    count = sum(_misfits(size_of(one), size) for one in references)
    if not becomes or not count:
        return ""
    which = f"{count} of {len(references)} pictures"
    return f"{field}: of another aspect than {_pixels(size)}, so that {becomes}: {which}"


def _of_the_size(whole: tuple[int, int], size: tuple[int, int]) -> Iterator[str]:
    """That a picture of the same aspect loses pixels, also those that its mask keeps."""
    if whole[1] and not _misfits(whole, size) and whole[0] > size[0]:
        yield (
            f"init.image: is made smaller, {_pixels(whole)} to {_pixels(size)}; "
            "width and height can keep its size"
        )


def _of_the_area(whole: tuple[int, int], size: tuple[int, int]) -> Iterator[str]:
    """What becomes of a picture that is painted around its mask alone."""
    if whole[1]:
        yield (
            f"init.area: the part around the mask is made at {_pixels(size)} and put back; "
            f"the picture stays {_pixels(whole)}"
        )


def refuse_masks(preset: Preset, size: tuple[int, int]) -> None:
    """See that the masks of rows fit a picture, before many are asked for with them.

    They are of the picture to start from, where that is painted around its mask alone.

    Raises:
        BadPreset: names those that do not.
    """
    if preset.init and preset.init.framed:
        size = size_of(preset.init.image)
    if lines := list(_misfitting_rows(preset, size)):
        raise BadPreset(" · ".join(lines))


def _of_the_start(init: Init) -> Iterator[str]:
    """What its mask does not paint, and where that does not fit the picture."""
    if _is_black(init.mask):
        yield "init.mask: is black all over, so nothing of the picture is painted anew"
    mask, picture = size_of(init.mask), size_of(init.image)
    if _misfits(mask, picture):
        yield f"init.mask: {misfit(mask, 'init.image', picture)}"


def _misfitting_rows(preset: Preset, size: tuple[int, int]) -> Iterator[str]:
    """The rows whose masks do not fit the picture, all of them at once; rows of masks of one size
    are one line."""
    found: dict[tuple[int, int], list[int]] = {}
    for index, row in preset.active_rows():
        if row.mask and _misfits(given := size_of(row.mask), size):
            found.setdefault(given, []).append(index)
    for given, rows in found.items():
        if len(rows) == 1:
            yield f"rows.{rows[0]}.mask: {misfit(given, 'the picture', size)}"
            continue
        numbers = ", ".join(str(index + 1) for index in rows)
        yield (
            f"the masks of rows {numbers} are {_pixels(given)} and do not fit the picture, "
            f"{_pixels(size)}: Use masks, under Masks, stretches them"
        )


def _misfits(given: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether a picture, one that can be read, is of another aspect."""
    return bool(given[1] and size[1]) and not same_aspect(given, size)


def _pixels(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


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
def size_of(reference: str) -> tuple[int, int]:
    """Width and height of a picture that is kept by its content; 0 of one that cannot be read."""
    try:
        return resolve(reference).size
    except StudioError:
        return 0, 0
