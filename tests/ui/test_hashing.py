"""Model hashes of the page's pictures: computed while nothing is being made, stopped where a run begins."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.history import History, Record
from studio.ui import hashing
from studio.ui.history.unopened import Unopened


class Queue:
    """One that a test lets rest."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def rest(self, seconds: float) -> bool:
        return self.free.wait(min(seconds, 30))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Each time that hashes are computed: of which models."""
    found: list[list[str]] = []
    monkeypatch.setattr(hashing, "unhashed", lambda record, _: list(record.models))
    known = hashing.library()
    monkeypatch.setattr(known, "computes_hashes", True)
    monkeypatch.setattr(hashing, "library", lambda: known)

    def compute(own: History, library: object, names: list[str], stop: object) -> list[str]:
        assert callable(stop) and not stop()
        found.append(names)
        return names

    monkeypatch.setattr(hashing, "hash_models", compute)
    return found


def record(*models: str) -> Record:
    return Record("0" * 16, "a.png", 1.0, models=models)


def test_they_wait_until_nothing_is_made(asked: list[list[str]], tmp_path: Path) -> None:
    queue, own = Queue(), History(None, tmp_path)
    keeper = hashing.Hashing(queue)
    keeper.want(own, record("one", "two"))
    keeper.want(own, record("two", "three"))
    assert asked == []
    queue.free.set()
    for thread in [one for one in threading.enumerate() if one.name == "model hashes"]:
        thread.join(30)
    assert sorted(asked) == [["one"], ["three"], ["two"]]


def test_visitors_keep_no_host_busy(asked: list[list[str]], tmp_path: Path) -> None:
    queue = Queue()
    queue.free.set()
    hashing.Hashing(queue).want(Unopened(tmp_path), record("one"))
    assert not [one for one in threading.enumerate() if one.name == "model hashes"]
    assert asked == []
