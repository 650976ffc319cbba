"""Hashes of the models that pictures were made with, computed while nothing is being made."""

from __future__ import annotations

import threading
from typing import Protocol

from studio.history import History, Record
from studio.history.made import hash_models, unhashed
from studio.ui.errors import plain_line
from studio.ui.library.models import library

THREAD = "model hashes"
PATIENCE = 3600.0  # seconds to wait until nothing is being made; the next picture asks again


class Rests(Protocol):
    """A queue of runs."""

    def rest(self, seconds: float) -> bool: ...


class Hashing:
    """Computes them in one thread, which ends with its work and stops where a run begins.

    Args:
        queue: what it waits for.
    """

    def __init__(self, queue: Rests) -> None:
        self.queue = queue
        self._lock = threading.Lock()
        self._wanted: dict[str, History] = {}  # by the models' ids
        self._works = False

    def want(self, own: object, record: Record) -> None:
        """Write down what made a picture; nothing is done for visitors, who keep no host busy."""
        if not isinstance(own, History) or not library().computes_hashes:
            return
        with self._lock:
            self._wanted |= dict.fromkeys(unhashed(record, library()), own)
            if self._works or not self._wanted:
                return
            self._works = True
        threading.Thread(target=self._work, name=THREAD, daemon=True).start()

    def _next(self) -> tuple[str, History] | None:
        """The next model, once nothing is being made."""
        rests = self.queue.rest(PATIENCE)
        with self._lock:
            if rests and self._wanted:
                return self._wanted.popitem()
            self._works = False
            return None

    def _work(self) -> None:
        try:
            while (following := self._next()) is not None:
                self._hash(*following)
        except BaseException:
            with self._lock:
                self._works = False  # the next picture begins anew
            raise

    def _hash(self, name: str, own: History) -> None:
        try:
            done = hash_models(own, library(), [name], self._interrupted)
        except Exception as error:  # one bad model must not keep the others from theirs
            plain_line(error)
            return
        if not done and self._interrupted():
            with self._lock:
                self._wanted.setdefault(name, own)

    def _interrupted(self) -> bool:
        return not self.queue.rest(0)
