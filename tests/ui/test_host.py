"""What the process does by itself after its page is served."""

from __future__ import annotations

import threading

import pytest

from studio.ui import host


def test_one_step_begins_when_the_one_before_has_ended() -> None:
    order: list[str] = []
    began, first, ended = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        first.wait(60)
        order.append("slow")

    def quick() -> None:
        order.append("quick")
        ended.set()

    host.later(0, slow, quick)
    assert began.wait(60) and not ended.is_set() and order == []
    first.set()
    assert ended.wait(60)
    assert order == ["slow", "quick"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_step_that_fails_keeps_the_next_from_nothing() -> None:
    ended = threading.Event()

    def fails() -> None:
        raise RuntimeError("no such device")

    host.later(0, fails, ended.set)
    assert ended.wait(60)
