"""Training and generation on one device: generation goes first, training goes on in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Generation waits for the training step in progress, and training for every generation."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._generating = 0
        self._stepping = False

    @contextmanager
    def generation(self) -> Iterator[None]:
        """Inside the ``with``, no training step runs."""
        with self._changed:
            self._generating += 1
            try:
                self._changed.wait_for(lambda: not self._stepping)
            except BaseException:
                self._generating -= 1
                raise
        try:
            yield
        finally:
            with self._changed:
                self._generating -= 1
                self._changed.notify_all()

    @contextmanager
    def step(self) -> Iterator[None]:
        """One training step, once nothing is being generated."""
        with self._changed:
            self._changed.wait_for(lambda: not self._generating and not self._stepping)
            self._stepping = True
        try:
            yield
        finally:
            with self._changed:
                self._stepping = False
                self._changed.notify_all()

    def waiting(self) -> bool:
        """Whether training has to wait right now."""
        return self._generating > 0


TURNS = Turns()
