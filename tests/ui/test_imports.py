"""What is imported in the background gives way between two modules, and only there."""

from __future__ import annotations

import builtins
import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.ui import host
from studio.ui.imports import giving_way
from studio.ui.lull import Lull

NAMES = ("imported_one", "imported_two")


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two modules, of which the first imports the second."""
    one, two = NAMES
    (tmp_path / f"{one}.py").write_text(f"import {two}\n")
    (tmp_path / f"{two}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("modules")
def test_a_thread_that_gives_way_pauses_before_each_import() -> None:
    paused: list[int] = []
    before = builtins.__import__
    with giving_way(lambda: paused.append(1)):
        __import__(NAMES[0])
    count = len(paused)
    assert count >= 2  # it imports the other
    assert builtins.__import__ is before
    for name in NAMES:
        del sys.modules[name]
    __import__(NAMES[0])
    assert len(paused) == count


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("modules")
def test_others_import_while_it_pauses() -> None:
    paused, goes_on = threading.Event(), threading.Event()

    def background() -> None:
        with giving_way(lambda: paused.set() or goes_on.wait(30)):
            __import__(NAMES[0])

    one = threading.Thread(target=background)
    one.start()
    assert paused.wait(30)
    other = threading.Thread(target=__import__, args=(NAMES[1],))
    other.start()
    other.join(20)
    assert NAMES[1] in sys.modules and NAMES[0] not in sys.modules
    goes_on.set()
    one.join(30)
    assert NAMES[0] in sys.modules


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("modules")
def test_others_wait_for_the_whole_of_what_is_read_alone_and_hurry_it() -> None:
    paused, hurried = threading.Event(), threading.Event()
    order: list[str] = []

    def background() -> None:
        with giving_way(lambda: paused.set() or hurried.wait(30), NAMES, hurried.set):
            __import__(NAMES[0])
            order.append("whole")

    def other() -> None:
        __import__(NAMES[1])
        order.append("other")

    one, two = threading.Thread(target=background), threading.Thread(target=other)
    one.start()
    assert paused.wait(30)
    two.start()
    for thread in (one, two):
        thread.join(30)
    assert order == ["whole", "other"]


def test_once_a_run_wants_the_engine_nothing_more_is_read_ahead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def imported(name: str) -> object:
        read.append(name)
        if len(read) == 2:
            wanted.set()
        return type(name, (), {one: None for _, one in host.AHEAD})

    wanted = threading.Event()
    monkeypatch.setattr(host, "_wanted", wanted)
    monkeypatch.setattr(host, "import_module", imported)
    monkeypatch.setattr(host.heap, "keep_for_good", lambda: None)
    host._read_ahead()
    assert read == [module for module, _ in host.AHEAD[:2]]


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("modules")
def test_a_page_that_is_being_opened_goes_first_until_a_run_wants_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy = threading.Event()
    ended = threading.Event()

    class Busy(Lull):
        def first(self, at_most: float) -> None:
            del at_most

        def left(self, seconds: float = 0) -> float:
            busy.set()
            return 60.0

    wanted = threading.Event()
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(host, "LULLS", Busy())
    monkeypatch.setattr(host, "_wanted", wanted)
    monkeypatch.setattr(host, "_made", lambda: __import__(NAMES[0]))
    monkeypatch.setattr(host, "_read_ahead", ended.set)
    thread = host.begin_beside(3.0, outputs=False)
    assert busy.wait(30)
    assert NAMES[0] not in sys.modules
    assert not ended.is_set()
    wanted.set()
    thread.join(30)
    assert ended.is_set() and NAMES[1] in sys.modules


def test_a_run_that_came_first_reads_what_it_needs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is loading would be kept for good with what is read."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(host, "LULLS", Lull())
    monkeypatch.setattr(host, "_wanted", threading.Event())
    monkeypatch.setattr(host, "_made", lambda: pytest.fail("made"))
    monkeypatch.setattr(host.heap, "keep_for_good", lambda: pytest.fail("kept"))
    host._wanted.set()
    host.begin_beside(0.01, outputs=False).join(30)


@pytest.mark.timeout(60)
def test_outputs_are_taken_in_after_the_libraries_even_where_those_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    def broken() -> None:
        done.append("libraries")
        raise ImportError("damaged")

    class Over(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            done.append(f"waits {timeout:g}")
            return True

    monkeypatch.setattr(host.logs, "record", lambda error: done.append(str(error)))
    monkeypatch.setattr(host, "LULLS", Lull(sleep=lambda _: None))
    monkeypatch.setattr(host, "_wanted", threading.Event())
    monkeypatch.setattr(host, "_over", Over())
    monkeypatch.setattr(host, "_read_libraries", broken)
    monkeypatch.setattr(host, "history", lambda: None)
    monkeypatch.setattr(host, "begin", lambda _: done.append("outputs"))
    host.begin_beside(0.01).join(30)
    assert done == ["libraries", "damaged", "outputs"]
    done.clear()
    host._wanted.set()
    host.begin_beside(0.01, libraries=False).join(30)
    assert done == ["waits 30", "outputs"]  # for the picture that somebody waits for


def test_what_is_read_ahead_is_there() -> None:
    for module, name in host.AHEAD:
        assert isinstance(getattr(importlib.import_module(module), name), type)
