"""Imports in the background that give way while a page is served."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

LONGEST = 20.0  # seconds that others wait for the whole, were each to wait for the other


@contextmanager
def giving_way(
    pause: Callable[[], Any], alone: Collection[str] = (), asked: Callable[[], Any] = lambda: None
) -> Iterator[None]:
    """Before each import of this thread ``pause()`` is called, which returns once it may go on.

    Python asks finders while no other thread can begin an import; here, those of everything else go
    on during a pause.

    Args:
        alone: packages whose modules name each other: two threads that read them at once may find
            one half made. Others that import them call ``asked()``, and wait until this has ended.
    """
    whole, thread, over = builtins.__import__, threading.get_ident(), threading.Event()

    def gives_way(name: str, *args: Any, **kwargs: Any) -> Any:
        if over.is_set():  # some package may have kept this
            pass
        elif threading.get_ident() == thread:
            pause()
        elif name.partition(".")[0] in alone:
            asked()
            over.wait(LONGEST)
        return whole(name, *args, **kwargs)

    builtins.__import__ = gives_way
    try:
        yield
    finally:
        over.set()
        if builtins.__import__ is gives_way:
            builtins.__import__ = whole
