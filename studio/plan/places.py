"""Which sets of masks meet somewhere in the picture, read from the masks themselves.

Personalised rows give the base term different weights in different places (see
:meth:`studio.plan.terms.Terms.base`); only places that there are need a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from studio import images
from studio.errors import StudioError

Masks = frozenset[str]
Size = tuple[int, int]  # width and height of the picture in pixels
Meeting = Callable[[Sequence[str], Size], Iterable[Masks]]

# A mean of white pixels is 1 up to rounding.
ROUNDING = 1e-5


def every_set(masks: Sequence[str], size: Size = (0, 0)) -> list[Masks]:
    """All subsets of ``masks``: what may occur where nothing is known of them."""
    return [
        frozenset(inside) for size in range(len(masks) + 1) for inside in combinations(masks, size)
    ]


def meeting_in(roots: Sequence[str | Path] = ()) -> Meeting:
    """Finds the sets of masks that occur in a picture, by opening them.

    A set occurs where all its masks are above black and all others below white. A mask that
    cannot be read may be anything: whoever opens it to use it says what is wrong with it.

    Args:
        roots: folders that relative paths may lie under, as in :func:`studio.images.resolve`.
    """

    def meeting(masks: Sequence[str], size: Size) -> list[Masks]:
        try:
            maps = [images.coverage(images.resolve_mask(mask, roots), size) for mask in masks]
        except StudioError:
            return every_set(masks)
        above = [values > ROUNDING for values in maps]
        below = [values < 1 - ROUNDING for values in maps]
        return [
            inside
            for inside in every_set(masks)
            if _anywhere(above[k] if mask in inside else below[k] for k, mask in enumerate(masks))
        ]

    return meeting


def _anywhere(conditions: Iterable[np.ndarray]) -> bool:
    """Whether all conditions hold together at some pixel."""
    return bool(np.logical_and.reduce(list(conditions)).any())
