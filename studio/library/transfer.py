"""One file on its way into the library: how much of it has come, and a way to stop it in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from threading import Event, RLock
from typing import Any

LOOK_SECONDS = 0.25  # between two looks at how much has come
STOP_SECONDS = 1.0  # at most, that a stop waits until nothing is written any more


@dataclass(frozen=True)
class Progress:
    """How far a download is: ``done`` of ``total`` bytes; ``whole``: all of ``file`` has come.

    ``checking``: the bytes are of a file that is there, which is read. ``id``: what the model is called
    in the library, where only the end of its download tells.
    """

    file: str
    done: int
    total: int
    whole: bool
    checking: bool = False
    id: str = ""


class Stopped(Exception):
    """Raised inside a transfer that is no longer wanted; the library drops what came of the file."""


class Transfer:
    """Runs ``fetch(tqdm_class)`` in a thread; iterating gives the bytes that have come so far.

    Args:
        fetch: fetches one file and tells a bar of the given class of each piece.
    """

    def __init__(self, fetch: Callable[[Any], object]) -> None:
        self._fetch = fetch
        self._come = 0
        self._unwanted = Event()

    def __iter__(self) -> Iterator[int]:
        """Ends when the file is whole; raises what ``fetch`` raises; closing it stops the transfer, which
        a network that stalls may keep waiting in its thread."""
        pool = ThreadPoolExecutor(1, "hub")
        running = pool.submit(self._fetch, self._bar())
        try:
            yield from self._until(running)
        finally:
            self._unwanted.set()
            wait([running], timeout=STOP_SECONDS)  # not longer: the page may stand still meanwhile
            pool.shutdown(wait=False)

    def _until(self, running: Future[object]) -> Iterator[int]:
        seen = 0
        while True:
            try:
                running.result(timeout=LOOK_SECONDS)
                return
            except NotYet:
                if running.done():  # just now, or a time-out of its own
                    running.result()
                    return
            if self._come != seen:
                seen = self._come
                yield seen

    def _bar(self) -> Any:
        from tqdm import tqdm

        transfer = self

        class Bar(tqdm):  # type: ignore[type-arg]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                transfer._come = int(kwargs.get("initial") or 0)
                super().__init__(*args, **{**kwargs, "disable": True})

            def update(self, n: float | None = 1) -> bool | None:
                if transfer._unwanted.is_set():
                    raise Stopped
                transfer._come += int(n or 0)
                return None

        # tqdm's own is shared with forked processes, and one that is killed would keep it for good.
        Bar.set_lock(RLock())
        return Bar
