"""Networks beside the engine's own, such as detectors, captioners and judges: kept once they are read, and
let go together."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

_KEPT: list[Callable[[], None]] = []


def auxiliary(most: int = 1) -> Callable[[Callable[..., Any]], Any]:
    """Keep what a function reads, ``most`` of it by its arguments, until :func:`release`."""

    def kept(read: Callable[..., Any]) -> Any:
        found = lru_cache(maxsize=most)(read)
        _KEPT.append(found.cache_clear)
        return found

    return kept


def release() -> None:
    """Let go of all that is kept; what is asked for then is read again."""
    for clear in _KEPT:
        clear()
