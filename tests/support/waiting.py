"""Waiting for what another thread or process does, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0  # seconds: a machine may be busy with other work


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until ``condition()`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not so after {seconds:.0f} s"
        time.sleep(0.01)
