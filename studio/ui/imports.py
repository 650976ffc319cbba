"""Imports in the background that give way while a page is served."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def giving_way(pause: Callable[[], Any]) -> Iterator[None]:
    """Before each import of this thread ``pause()`` is called, which returns once it may go on.

    Python asks finders while no other thread can begin an import; here, those of everything else go
    on during a pause.
    """
    whole, thread, over = builtins.__import__, threading.get_ident(), threading.Event()

    def gives_way(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() == thread and not over.is_set():
            pause()
        return whole(*args, **kwargs)

    builtins.__import__ = gives_way
    try:
        yield
    finally:
        over.set()  # some package may have kept it
        if builtins.__import__ is gives_way:
            builtins.__import__ = whole
