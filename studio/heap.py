"""What memory costs in time and room: the C library's heaps, and looks for garbage."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HEAPS = 2
PAUSE = 5.0  # seconds between two returns of memory at least: each takes some milliseconds
_M_ARENA_MAX = -8  # of glibc's mallopt
_returned = 0.0


@contextmanager
def tidied() -> Iterator[None]:
    """What was freed in it goes back to the system at its end, where that was not done just now.

    glibc keeps the room of freed tensors between others that stay. With every new size it takes
    more, although no more is in use.
    """
    global _returned
    try:
        yield
    finally:
        now = time.monotonic()
        if sys.platform.startswith("linux") and now - _returned >= PAUSE:
            _returned = now
            with suppress(OSError, AttributeError):
                ctypes.CDLL(None).malloc_trim(0)


def share_heaps() -> bool:
    """Let threads share :data:`HEAPS` heaps. Call it before there are many; whether it is done.

    glibc gives threads up to eight heaps a core, and each keeps what was freed between a few small
    things that stay: a page that fifty people use grows by that for hours. ``MALLOC_ARENA_MAX`` in
    the environment goes before. Other C libraries have no such heaps.
    """
    if "MALLOC_ARENA_MAX" in os.environ or not sys.platform.startswith("linux"):
        return False
    with suppress(OSError, AttributeError):
        return ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS) == 1
    return False


@contextmanager
def nothing_is_garbage() -> Iterator[None]:
    """Nobody looks for garbage inside, where programs are read: all of it stays.

    Python would look through what is there dozens of times, which is a sixth of the page's start.
    """
    looks = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looks:
            gc.enable()


def keep_for_good() -> None:
    """What is there now is never looked through again: with everything loaded, each look at all of
    it would keep the page waiting for half a second. Nothing is collected first, which would take as
    long; the little garbage among it stays. Call it before looks are allowed again: the first of them
    would begin with all of it."""
    gc.freeze()
