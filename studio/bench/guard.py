"""One bad moment takes nothing else down: what fails, or takes too long, is left out by name."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TypeVar

from studio.engine.networks.devices import free_memory

T = TypeVar("T")


class TookTooLong(Exception):
    """Work was stopped at its limit of time."""


def attempt(
    name: str,
    failed: MutableMapping[str, str],
    work: Callable[[], T],
    seconds: float | None = None,
) -> T | None:
    """What ``work`` returns; where it fails or takes longer than ``seconds``, ``None``, and
    ``failed[name]`` says why in one line."""
    try:
        with at_most(seconds):
            return work()
    except Exception as error:
        lines = str(error).strip().splitlines()
        failed[name] = (
            f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
        )
        if isinstance(_root(error), TookTooLong):  # a compiler's errors are wrapped
            failed[name] = f"stopped after {seconds:.0f} s"
    free_memory()
    return None


def _root(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


@contextmanager
def at_most(seconds: float | None) -> Iterator[None]:
    """Stop what runs inside after ``seconds``, where the system can (Unix, the main thread).

    Raises:
        TookTooLong: inside, between two of Python's instructions.
    """
    able = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if seconds is None or not able:
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
