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


def finish() -> None:
    for thread in [one for one in threading.enumerate() if one.name == "model hashes"]:
        thread.join(30)
        assert not thread.is_alive()


def test_one_bad_model_keeps_no_other_from_its_hash(
    asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = hashing.hash_models

    def compute(own: History, library: object, names: list[str], stop: object) -> list[str]:
        if names == ["bad"]:
            raise TypeError("one that nobody has foreseen")
        return good(own, library, names, stop)  # type: ignore[arg-type]

    monkeypatch.setattr(hashing, "hash_models", compute)
    queue, own = Queue(), History(None, tmp_path)
    keeper = hashing.Hashing(queue)
    keeper.want(own, record("one", "bad", "two"))
    queue.free.set()
    finish()
    keeper.want(own, record("bad"))
    finish()
    keeper.want(own, record("three"))
    finish()
    assert sorted(asked) == [["one"], ["three"], ["two"]]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_of_the_queue_ends_no_later_hashing(
    asked: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, own = Queue(), History(None, tmp_path)
    keeper = hashing.Hashing(queue)

    def fails(seconds: float) -> bool:
        raise RuntimeError("no rest")

    with monkeypatch.context() as patched:
        patched.setattr(queue, "rest", fails)
        keeper.want(own, record("one"))
        finish()
    queue.free.set()
    keeper.want(own, record("two"))
    finish()
    assert sorted(asked) == [["one"], ["two"]]
