"""Work in a process of its own: forked, so that it may be killed, starved or given less."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from studio.hard.attack import Fell


def killed_within(seconds: float, work: Callable[[int], object], most: int = 100_000) -> list[str]:
    """Run ``work(0)``, ``work(1)`` … in a process that is killed after so many seconds.

    Returns:
        what each call that had ended returned, as text.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            signal.alarm(0)
            for number in range(most):
                os.write(writing, f"{work(number)}\n".encode())
            time.sleep(seconds)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)
    os.close(writing)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as stream:
        lines = stream.read().decode().split("\n")
    os.waitpid(child, 0)
    return lines[:-1]


def in_child(work: Callable[[], object]) -> None:
    """Run ``work`` in a process of its own, to its end.

    Raises:
        Fell: it raised; says what.
    """
    with _child(work) as (child, reading):
        with os.fdopen(reading, "rb") as stream:
            said = stream.read().decode()
        status = os.waitpid(child, 0)[1]
    if status or said:
        raise Fell(said or f"the process ended with {status}")


@contextmanager
def _child(work: Callable[[], object]) -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            signal.alarm(0)
            work()
            code = 0
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(code)
    os.close(writing)
    yield child, reading
