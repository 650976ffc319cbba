"""Numbers in names: one that is free, and none that is cut."""

from __future__ import annotations

from collections.abc import Callable


def free_number(free: Callable[[int], bool]) -> int:
    """A number from 2 on that is free: the first one, where those that are taken have no gaps.

    It looks at few of them, however many are taken.
    """
    high = 2
    while not free(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if free(middle) else (middle, high)
    return high


def cut(name: str, limit: int) -> str:
    """The first ``limit`` characters of a name, without the beginning of a number: 14 is not 140."""
    kept = name[:limit]
    if name[limit - 1 : limit + 1].isdigit() and len(name) > limit:
        return kept.rstrip("0123456789") or kept
    return kept
