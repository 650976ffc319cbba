"""Imports in the background that give way, module by module, while a page is served."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Between:
    """A finder that finds nothing: it is asked before each module, and pauses one thread there.

    Args:
        pause: waits until the thread may go on.
    """

    def __init__(self, pause: Callable[[], Any]) -> None:
        self._pause, self._thread = pause, threading.get_ident()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Pause, where this is the thread that gives way."""
        if threading.get_ident() == self._thread:
            self._pause()


@contextmanager
def giving_way(pause: Callable[[], Any]) -> Iterator[None]:
    """Before each module that this thread imports for the first time, ``pause()`` is called."""
    between = Between(pause)
    sys.meta_path.insert(0, between)
    try:
        yield
    finally:
        sys.meta_path.remove(between)
