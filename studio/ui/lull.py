"""Moments in which no page waits for an answer: work in the background is done then."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from studio.ui.ahead import is_document

LULL = 0.3  # seconds without a request
ASKS = "/queue/join"  # where a page asks for what it is filled with
OPENING = 4.0  # seconds at most from a document until its page asks for what it is filled with
LONGEST = 5.0  # seconds that work waits for one: a picture may be being watched


class Lull:
    """How long ago a page last asked for something or was sent something.

    Args:
        clock: seconds that only grow.
        sleep: wait for so many seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._heard = self._opens = float("-inf")
        self._came = threading.Event()

    def heard(self) -> None:
        """Take down that a page asks or is answered now."""
        self._heard = self._clock()

    def opens(self) -> None:
        """Take down that somebody is given the page: a browser reads scripts before it asks again."""
        self._opens = self._clock() + OPENING

    def opened(self) -> None:
        """Take down that a page which was given asks for what it is filled with."""
        self._opens = self._clock()
        self._came.set()

    def first(self, at_most: float) -> None:
        """Wait for the first page, ``at_most`` so many seconds, and until it is open."""
        self._came.wait(at_most)
        self.wait()

    def left(self, seconds: float = LULL) -> float:
        """Seconds, as it looks now, until no page is being opened and none has asked for ``seconds``."""
        return max(0.0, max(self._heard + seconds, self._opens) - self._clock())

    def wait(self, seconds: float = LULL, at_most: float = LONGEST) -> float:
        """Wait until no page is being opened and none has asked for ``seconds``. Returns the seconds
        waited, ``at_most`` so many."""
        began = self._clock()
        while True:
            waited = self._clock() - began
            left = min(self.left(seconds), at_most - waited)
            if left <= 0:
                return waited
            self._sleep(left)


LULLS = Lull()  # of this process's page


class Listens:
    """ASGI middleware that tells a :class:`Lull` of each request and each part of an answer."""

    def __init__(self, app: Callable[..., Awaitable[None]], lull: Lull = LULLS) -> None:
        self.app, self.lull = app, lull

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Hand on."""
        if scope["type"] == "http":
            self.lull.heard()
            if scope.get("path", "").endswith(ASKS):
                self.lull.opened()

        async def sent(message: MutableMapping[str, Any]) -> None:
            self.lull.heard()
            if message["type"] == "http.response.start" and is_document(message):
                self.lull.opens()
            await send(message)

        await self.app(scope, receive, sent)
