"""What is imported in the background gives way between two modules, and only there."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.train.turns import Turns
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
def test_a_thread_that_gives_way_pauses_before_each_module_it_does_not_have_yet() -> None:
    paused: list[int] = []
    with giving_way(lambda: paused.append(len(sys.modules))):
        importlib.import_module(NAMES[0])
        importlib.import_module(NAMES[0])
    assert len(paused) == 2
    for name in NAMES:
        del sys.modules[name]
    importlib.import_module(NAMES[0])
    assert len(paused) == 2  # the finder is gone


@pytest.mark.usefixtures("modules")
def test_what_others_import_meanwhile_does_not_pause() -> None:
    paused: list[str] = []
    with giving_way(lambda: paused.append("here")):
        other = threading.Thread(target=importlib.import_module, args=(NAMES[0],))
        other.start()
        other.join()
    assert NAMES[0] in sys.modules
    assert not paused


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
    monkeypatch.setattr(host, "LULLS", Busy())
    monkeypatch.setattr(host, "_wanted", wanted)
    monkeypatch.setattr(host, "_made", lambda: importlib.import_module(NAMES[0]))
    monkeypatch.setattr(host, "_read_ahead", ended.set)
    host.begin_beside(3.0, outputs=False)
    assert busy.wait(30)
    assert NAMES[0] not in sys.modules
    assert not ended.is_set()
    wanted.set()
    assert ended.wait(30)
    assert NAMES[1] in sys.modules


@pytest.mark.timeout(60)
def test_outputs_are_taken_in_after_the_libraries_even_where_those_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    ended = threading.Event()

    def broken() -> None:
        done.append("libraries")
        raise ImportError("damaged")

    def taken_in(_: object) -> None:
        done.append("outputs")
        ended.set()

    class Asked(Turns):
        def waiting(self) -> bool:
            done.append("asked")
            return done.count("asked") < 3

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(host, "LULLS", Lull(sleep=lambda _: None))
    monkeypatch.setattr(host, "LULL", 0.01)
    monkeypatch.setattr(host, "BEGINS", 0.01)
    monkeypatch.setattr(host, "TURNS", Asked())
    monkeypatch.setattr(host, "_read_libraries", broken)
    monkeypatch.setattr(host, "history", lambda: None)
    monkeypatch.setattr(host, "begin", taken_in)
    host.begin_beside(0.01)
    assert ended.wait(30)
    assert done == ["libraries", "asked", "asked", "asked", "outputs"]


def test_what_is_read_ahead_is_there() -> None:
    for module, name in host.AHEAD:
        assert isinstance(getattr(importlib.import_module(module), name), type)
