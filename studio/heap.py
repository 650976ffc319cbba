"""The C library's heaps: few of them, however many threads there are, and little in them unused."""

from __future__ import annotations

import ctypes
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
