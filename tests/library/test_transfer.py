"""One file on its way, stopped in the middle."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from studio.library.transfer import Stopped, Transfer


def test_a_stop_does_not_wait_for_a_network_that_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.library.transfer.STOP_SECONDS", 0.05)
    goes_on, ended = threading.Event(), threading.Event()

    def fetch(bar: Any) -> None:
        told = bar(initial=0)
        told.update(5)
        goes_on.wait(30)
        try:
            told.update(5)
        except Stopped:
            ended.set()

    running = iter(Transfer(fetch))
    assert next(running) == 5
    began = time.monotonic()
    running.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 25  # of the 30 s that the fetch stands still
    goes_on.set()
    assert ended.wait(30)  # the next piece is not taken
