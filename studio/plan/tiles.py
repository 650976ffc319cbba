"""A large picture in overlapping tiles of the base's own size (Bar-Tal et al. 2023, MultiDiffusion).

At every step every pass runs once in each tile, and what the tiles say is averaged where they
overlap: a network sees no more than it was made for, so that a large picture does not repeat itself.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from studio.errors import BadPreset
from studio.library import ModelEntry
from studio.plan.plan import Plan, Window
from studio.plan.size import DEFAULT_SIZE, picture_size
from studio.preset import Preset, Sampler

OVERLAP = 0.25  # of a tile, at least
MOST_TILES = 256


def with_tiles(plan: Plan, preset: Preset, base: ModelEntry) -> Plan:
    """The plan with the tiles that the preset asks for, and what they cost.

    Args:
        base: as :func:`studio.plan.row_models.check_base` returns it.

    Raises:
        BadPreset: a size that cannot be, or too many tiles; names the field.
    """
    size = picture_size(preset, base)
    if not preset.sampler.tiles:
        return plan
    found = windows(size, _edge(base), base.multiple)
    note = f"{len(found)} tiles of {found[0].width}x{found[0].height}: every pass runs in each"
    if len(found) == 1:
        note = "sampler.tiles: the picture is no larger than one tile, and is made at once"
    return replace(plan, tiles=found, notes=(*plan.notes, note))


def as_seen(sampler: Sampler, base: ModelEntry) -> Sampler:
    """With the width and height that the network sees at once, as the times of some flows need them.

    The base's own where none are asked for; those of one tile where the picture is made in tiles.
    """
    native = base.size or DEFAULT_SIZE
    size = (sampler.width or native, sampler.height or native)
    if sampler.tiles:
        size = _tile(size, _edge(base))
    return sampler.model_copy(update=dict(zip(("width", "height"), size, strict=True)))


def part_size(preset: Preset, base: ModelEntry) -> tuple[int, int]:
    """Width and height that a part of a finished picture is made again at: those of the first pass, or
    of one of its tiles.

    Raises:
        BadPreset: as :func:`studio.plan.size.picture_size`.
    """
    width, height = picture_size(preset, base)
    seen = as_seen(preset.sampler, base)
    return seen.width or width, seen.height or height


def _edge(base: ModelEntry) -> int:
    """Of a tile in pixels: the base's own size."""
    return max(1, (base.size or DEFAULT_SIZE) // base.multiple) * base.multiple


def _tile(size: tuple[int, int], edge: int) -> tuple[int, int]:
    """Width and height of each tile of a picture."""
    width, height = size
    return min(edge, width), min(edge, height)


def windows(size: tuple[int, int], edge: int, multiple: int) -> tuple[Window, ...]:
    """The fewest tiles that cover a picture and overlap by a quarter at least, row by row.

    Args:
        size: width and height in pixels. edge: of a tile; one is never larger than the picture.
        multiple: of which all of these are, and the tiles' places too.

    Raises:
        BadPreset: more tiles than a step should have.
    """
    width, height = _tile(size, edge)
    lefts, tops = (_starts(side, min(edge, side), multiple) for side in size)
    count = len(lefts) * len(tops)
    if count > MOST_TILES:
        raise BadPreset(
            f"a picture of {size[0]}x{size[1]} has {count} tiles of {width}x{height}; "
            f"at most {MOST_TILES}",
            field="sampler.tiles",
        )
    return tuple(Window(left, top, width, height) for top in tops for left in lefts)


def _starts(side: int, tile: int, multiple: int) -> list[int]:
    """Where the tiles along one side begin, as evenly as the multiple allows."""
    if side <= tile:
        return [0]
    overlap = tile * OVERLAP
    last = ceil((side - overlap) / (tile - overlap)) - 1
    return [round(place * (side - tile) / last / multiple) * multiple for place in range(last + 1)]
