"""The visitors of a shared page: how often each asks, and who still listens."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

MOST_KNOWN = 10_000  # addresses that are counted at one time
PER_SECOND, AT_ONCE = 10.0, 60.0  # requests of one address that change something
# Bytes that one address may send, and how fast it may send on.
SENT_AT_ONCE, SENT_PER_SECOND = 256 * 2**20, 2**20
PATIENCE_SECONDS = 10.0  # for a client that has asked and does not listen yet


class Visitors:
    """What is known of them while the process runs; nothing is written down.

    Args:
        clock: seconds that only grow; another one in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}  # address → (requests left, when)
        self._room: dict[str, tuple[float, float]] = {}  # address → (bytes left, when)
        self._listening: Counter[str] = Counter()
        self._missed: dict[str, float] = {}  # session → when it was last heard of

    @staticmethod
    def address(client: Any, forwarded: str) -> str:
        """Whom to count: the client, or whom a proxy names first; that name can be made up."""
        return forwarded.split(",")[0].strip()[:64] or (client[0] if client else "")

    def admits(self, address: str) -> bool:
        """Whether this address may ask once more now."""
        return self._spends(self._left, address, 1.0, AT_ONCE, PER_SECOND)

    def takes(self, address: str, size: int) -> bool:
        """Whether this address may send so many bytes now: what is sent is kept for a day."""
        return self._spends(self._room, address, size, SENT_AT_ONCE, SENT_PER_SECOND)

    def _spends(
        self,
        known: dict[str, tuple[float, float]],
        address: str,
        wanted: float,
        most: float,
        pace: float,
    ) -> bool:
        with self._lock:
            now = self._clock()
            if address not in known and len(known) >= MOST_KNOWN:
                known.clear()
            left, then = known.get(address, (most, now))
            left = min(most, left + (now - then) * pace)
            enough = left >= wanted
            known[address] = (left - wanted if enough else left, now)
            return enough

    @contextmanager
    def listens(self, session: str) -> Iterator[None]:
        """While a request of this session waits for what its events bring."""
        if not session:
            yield
            return
        with self._lock:
            self._listening[session] += 1
        try:
            yield
        finally:
            with self._lock:
                self._listening[session] -= 1
                if self._listening[session] <= 0:
                    del self._listening[session]
                    if len(self._missed) >= MOST_KNOWN:
                        self._missed.clear()
                    self._missed[session] = self._clock()

    def gone(self, session: str, begun: float) -> bool:
        """Whether nobody has listened for ``PATIENCE_SECONDS`` to what began at ``begun``."""
        with self._lock:
            if self._listening[session] > 0:
                return False
            last = max(begun, self._missed.get(session, begun))
            return self._clock() - last > PATIENCE_SECONDS

    def now(self) -> float:
        """The clock's time, for :meth:`gone`."""
        return self._clock()


VISITORS = Visitors()
