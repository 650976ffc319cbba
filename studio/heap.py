"""The C library's heaps: few of them, however many threads there are."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

HEAPS = 2
_M_ARENA_MAX = -8  # of glibc's mallopt


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
