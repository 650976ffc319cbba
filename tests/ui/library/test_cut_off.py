"""A merging or a download that the end of the program cut off is told by the next start."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.home import cache_folder
from studio.locks import acquired
from studio.ui.library import cut_off, fetch, merge_job
from studio.ui.library.job import end_jobs
from studio.ui.library.merge_job import MergeJob
from tests.support.merge_fields import FIELDS

LOST = "The studio was started anew while mix was being merged, and nothing of it is kept"


class Held:
    """In place of the work: begins, and goes on until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        monkeypatch.setattr(merge_job, "merged", self)
        monkeypatch.setattr(fetch, "fetched", self)

    def __call__(self, *_: Any) -> Iterator[tuple[str, bool]]:
        while not self.go.wait(0.01):  # or not
            self.begun.set()
            yield "half", False
        yield "failed", False


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


def test_the_next_start_tells_what_was_merged(studio_home: Path, held: Held) -> None:
    MergeJob().start(FIELDS)
    assert held.begun.wait(60)
    assert not MergeJob().cut  # of a second program, beside one that is at it
    end_jobs()
    job, blank = MergeJob(), {**FIELDS, "A": "", "B": "", "name": ""}
    assert job.cut and LOST in job.line()
    assert job.line_of(FIELDS) == job.line_of(blank) == job.line()
    assert job.line_of({**FIELDS, "name": "other"}) == ""
    held.go.set()
    job.start(FIELDS)
    list(job.watch())
    assert not job.cut and not MergeJob().cut  # it ended by itself


def test_the_next_start_tells_what_was_fetched(studio_home: Path, held: Held) -> None:
    fetch.fetch_job().start({"identity": " somebody/large "})
    assert held.begun.wait(60)
    end_jobs()
    line = fetch.fetch_job().line()
    assert "anew while somebody/large was being fetched: Download goes on with it" in line
    assert not fetch.fetch_job().cut  # told once


def test_what_one_stops_is_not_told(studio_home: Path, held: Held) -> None:
    job = MergeJob()
    job.start(FIELDS)
    assert held.begun.wait(60) and job.stop()
    assert not MergeJob().cut


@pytest.mark.parametrize("text", ["", "[]", '"x"', "{", "{}", '{"name": ', "\0", "[" * 100_000])
def test_a_note_that_is_no_note_tells_nothing(studio_home: Path, text: str) -> None:
    cache_folder().mkdir(parents=True)
    (cache_folder() / "merging.json").write_text(text)
    assert not MergeJob().cut


def test_a_note_that_another_holds_is_left_alone(studio_home: Path) -> None:
    note = cache_folder() / "merging.json"
    lock = acquired(note, 0)
    note.write_text('{"name": "mix"}')
    assert not MergeJob().cut and note.is_file()
    assert lock is not None
    lock.release()
    assert LOST in MergeJob().line() and not note.exists()


def test_a_place_without_locks_keeps_no_note(
    studio_home: Path, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_off, "acquired", lambda *_: None)
    job = MergeJob()
    job.start(FIELDS)
    assert held.begun.wait(60)
    held.go.set()
    list(job.watch())
    assert not MergeJob().cut and not (cache_folder() / "merging.json").exists()


def test_what_was_stopped_before_the_end_is_not_told(studio_home: Path, held: Held) -> None:
    job = MergeJob()
    job.start(FIELDS)
    assert held.begun.wait(60)
    job.ask_to_stop()
    end_jobs()
    assert not MergeJob().cut
