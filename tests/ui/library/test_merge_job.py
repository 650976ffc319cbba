"""A merging of the page: it outlives the page, is shown to who comes back, and can be stopped."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.home import models_folder
from studio.ui.library import job as jobs
from studio.ui.library import merge_job, models
from studio.ui.library.job import end_jobs
from studio.ui.library.merge_job import STOPPED, MergeJob
from tests.support import tiny
from tests.support.merge_fields import FIELDS


class Held:
    """In place of the merging: says one thing, and the end when it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.closed = threading.Event(), threading.Event()
        monkeypatch.setattr(merge_job, "merged", self)
        monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.05)

    def __call__(self, given: Any) -> Iterator[tuple[str, bool]]:
        try:
            yield "half", False
            while not self.go.wait(0.01):  # or not
                yield "half", False
            yield f"{given['name']} is there", True
        finally:
            self.closed.set()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


def test_it_goes_on_when_the_page_leaves_and_is_shown_to_the_next(held: Held) -> None:
    job = MergeJob()
    job.start(FIELDS)
    watcher = job.watch()
    while next(watcher)[0] != "half":
        pass
    watcher.close()  # type: ignore[attr-defined]
    again = job.watch()
    assert next(again) == ("half", False) and job.given == FIELDS
    assert job.line_of({**FIELDS, "name": "other"}) == "half"  # the bar stays while one types
    held.go.set()
    assert list(again)[-1] == ("mix is there", True)
    assert list(job.watch()) == [] and not job.given
    assert job.line_of({**FIELDS, "name": "other"}) == ""


def test_an_end_that_nobody_saw_is_told_once(held: Held) -> None:
    job = MergeJob()
    held.go.set()
    job.start(FIELDS)
    assert held.closed.wait(60)
    assert list(job.watch())[-1] == ("mix is there", True)
    assert list(job.watch()) == []


def test_who_began_it_sees_its_end_whoever_saw_it_before(held: Held) -> None:
    job = MergeJob()
    held.go.set()
    job.start(FIELDS)
    assert list(job.watch())[-1][1]
    assert list(job.watch(begun=True)) == [("mix is there", True)]


def test_what_falls_is_said_and_ends(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(given: Any) -> Iterator[tuple[str, bool]]:
        yield "half", False
        raise ZeroDivisionError("of a stranger")

    monkeypatch.setattr(merge_job, "merged", falls)
    job = MergeJob()
    job.start(FIELDS)
    *_, (line, arrived) = job.watch()
    assert "failed" in line and not arrived and not job.given


def test_who_comes_back_after_the_end_reads_how_it_ended(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, name in enumerate("ab"):
        tiny.pipeline(models_folder() / name, seed)
    models.rescan()
    blank = {**FIELDS, "A": "", "B": "", "name": ""}
    job = MergeJob()
    assert job.line_of(blank) == job.line_of(FIELDS) == ""
    job.start(FIELDS)
    *_, (line, _) = job.watch()  # by the page that was left
    assert "mix is in the library" in line
    assert job.line_of(blank) == job.line_of(FIELDS) == line
    monkeypatch.setattr(jobs, "GREETS_SECONDS", 0.0)
    assert job.line_of(blank) == "" and job.line_of(FIELDS) == line
    shutil.rmtree(models_folder() / "mix")
    models.rescan()
    assert job.line_of(FIELDS) == ""


def test_a_second_one_waits_for_the_first(held: Held) -> None:
    job = MergeJob()
    job.start(FIELDS)
    with pytest.raises(
        StudioError, match=r"^mix: is made first; wait until it is there, or stop it"
    ):
        job.start({**FIELDS, "name": "other"})
    end_jobs()  # as with the end of the program
    assert held.closed.is_set() and list(job.watch()) == [(STOPPED, False)]
    held.go.set()
    job.start({**FIELDS, "name": "other"})
    assert list(job.watch())[-1] == ("other is there", True)


def test_it_merges_and_the_library_knows(studio_home: Path) -> None:
    for seed, name in enumerate("ab"):
        tiny.pipeline(models_folder() / name, seed)
    models.rescan()
    assert "mix" not in models.library()
    job = MergeJob()
    job.start(FIELDS)
    *_, (line, arrived) = job.watch()
    assert arrived and "mix is in the library" in line and "mix" in models.library()
