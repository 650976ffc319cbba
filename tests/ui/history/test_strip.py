"""The strip shows what the history shows: what is deleted vanishes, what is brought back comes again."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from PIL import Image

from studio.events import Done, Event
from studio.history import History, Query, database, history, store
from studio.history.intake import begin, take_in, wait
from studio.preset import Preset, validate
from studio.share import save_image
from studio.ui import runs as runs_module
from studio.ui.history import moments, view
from studio.ui.history.moments import SHOWN, strip
from studio.ui.runs import Runs
from studio.ui.session import Session
from studio.ui.space import Limits


def preset(name: str) -> Preset:
    return validate({"name": name, "rows": [{"prompt": "a cat"}]})


def stream(wanted: Preset) -> Iterator[Event]:
    yield Done(Image.new("RGB", (8, 8)), 5, wanted, 50, 1.25)


def make(runs: Runs, session: Session, name: str) -> str:
    """The id of a picture that a page has made."""
    run = runs.submit(session, preset(name))
    while run.active():
        runs.wait(session, session.version, 5.0)
    return run.moments[0].id


def shown(runs: Runs, session: Session) -> list[str]:
    return [item["title"] for item in strip(runs.newest(session))["items"]]


@pytest.fixture
def own(studio_home: Path) -> History:
    """A history that holds what lies in the outputs folder: a picture of another day."""
    save_image(Image.new("RGB", (8, 8)), preset("before"), studio_home / "outputs")
    begin(history())
    assert wait(history())
    return history()


def test_it_is_the_history_own_list(own: History) -> None:
    runs = Runs(stream, Limits())
    one, other = runs.session("one"), runs.session("two")
    made = make(runs, one, "mine")
    assert own.get(made).title == "mine"  # one id in both
    for session in (one, other):
        records = own.search(Query()).records
        assert shown(runs, session) == [record.title for record in records] == ["mine", "before"]


def test_what_is_deleted_vanishes_and_what_is_brought_back_comes_again(own: History) -> None:
    runs = Runs(stream, Limits())
    session = runs.session("one")
    made = make(runs, session, "mine")
    own.delete([made])
    assert shown(runs, session) == ["before"]
    own.restore([made])
    assert shown(runs, session) == ["mine", "before"]
    own.delete([made])
    own.empty_bin()
    assert shown(runs, session) == ["before"]


def test_stars_are_shown_on_what_was_made_here_and_before(own: History) -> None:
    runs = Runs(stream, Limits())
    session = runs.session("one")
    made = make(runs, session, "mine")
    own.mark([record.id for record in own.search().records], starred=True)
    assert [item["starred"] for item in strip(runs.newest(session))["items"]] == [True, True]
    own.mark([made], starred=False)
    assert [item["starred"] for item in strip(runs.newest(session))["items"]] == [False, True]


def test_it_shows_what_the_history_has_yet_to_take_in(studio_home: Path) -> None:
    """At the first start, in whose background the folder is read."""
    runs, session = Runs(stream, Limits()), None
    for name in ("older", "newer"):
        save_image(Image.new("RGB", (8, 8)), preset(name), studio_home / "outputs")
    session = runs.session("one")
    assert len(shown(runs, session)) == 2 and history().search().total == 0
    made = make(runs, session, "mine")
    assert shown(runs, session)[0] == "mine" and len(shown(runs, session)) == 3
    take_in(history())
    assert shown(runs, session) == ["mine", "newer", "older"]
    assert runs.newest(session)[0].id == made


def test_a_full_one_has_what_the_studio_saved_last_at_once(
    own: History, studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before a power cut; what else was put there comes with what is taken in."""
    monkeypatch.setattr(moments, "caught_up", lambda _: False)
    monkeypatch.setattr(moments, "SHOWN", 1)
    Image.new("RGB", (8, 8)).save(studio_home / "outputs" / "zebra.png")
    runs = Runs(stream, Limits())
    assert shown(runs, runs.session("one")) == ["before"]
    save_image(Image.new("RGB", (8, 8)), preset("after"), studio_home / "outputs")
    assert shown(runs, runs.session("one"))[0].endswith("after")  # by its file's name


def test_where_those_it_knows_were_taken_away_it_shows_what_is_there(
    own: History, studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "caught_up", lambda _: False)
    monkeypatch.setattr(moments, "SHOWN", 1)
    for path in (studio_home / "outputs").glob("*.png"):
        path.unlink()
    Image.new("RGB", (8, 8)).save(studio_home / "outputs" / "zebra.png")
    runs = Runs(stream, Limits())
    assert shown(runs, runs.session("one")) == ["zebra"]


def test_a_picture_that_the_history_could_not_take_is_shown(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own, "made", full)
    runs = Runs(stream, Limits())
    session = runs.session("one")
    make(runs, session, "mine")
    assert shown(runs, session) == ["mine", "before"]


def test_a_visitor_sees_what_the_session_made_alone(own: History) -> None:
    runs = Runs(stream, Limits(shared=True))
    one, other = runs.session("one"), runs.session("two")
    made = make(runs, one, "mine")
    assert shown(runs, one) == ["mine"] and shown(runs, other) == []
    its = runs.history(one)
    its.mark([made], starred=True)
    assert strip(runs.newest(one))["items"][0]["starred"]
    its.mark([made], starred=False)
    its.delete([made])
    assert shown(runs, one) == []


def older(own: History, count: int) -> list[str]:
    """Pictures under names of their own, made a minute after another in a past year; their ids."""
    source = next(own.outputs.glob("*.png"))
    for index in range(count):
        file = own.outputs / f"zebra-{index:02}.png"
        shutil.copyfile(source, file)
        when = 10**9 + 60 * index
        os.utime(file, (when, when))
    take_in(own)
    found = own.search(Query(), 2 * count).records
    return [one.id for one in found if one.path.startswith("zebra")]


def test_a_new_one_stands_before_older_ones_of_any_name(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    zebras = older(own, SHOWN)

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(own, "made", full)
    runs = Runs(stream, Limits())
    session = runs.session("one")
    made = make(runs, session, "mine")
    before = next(one.id for one in own.search(Query()).records if one.title == "before")
    assert [one.id for one in runs.newest(session)] == [made, before, *zebras[: SHOWN - 2]]


def test_what_an_older_strip_shows_is_found_while_it_is_there(own: History) -> None:
    runs = Runs(stream, Limits())
    session = runs.session("one")
    (last, *_) = older(own, SHOWN)[::-1]
    made = make(runs, session, "mine")
    assert last not in [one.id for one in runs.newest(session)]
    assert [one.id for one in runs.shown(session, [last, "absent", made])] == [last, made]
    own.delete([last])
    assert runs.shown(session, [last]) == []
    own.restore([last])
    own.file(own.get(last)).unlink()
    assert runs.shown(session, [last]) == []


def test_a_visitor_s_older_pictures_are_found_by_that_visitor_alone(own: History) -> None:
    runs = Runs(stream, Limits(shared=True))
    one, other = runs.session("one"), runs.session("two")
    first = make(runs, one, "first")
    for index in range(SHOWN):
        make(runs, one, str(index))
    assert first not in [moment.id for moment in runs.newest(one)]
    assert [moment.id for moment in runs.shown(one, [first])] == [first]
    assert runs.shown(other, [first]) == []


def test_a_strip_waits_for_no_other_program(
    own: History, studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs(stream, Limits())
    session = runs.session("one")
    make(runs, session, "mine")
    monkeypatch.setattr(runs_module, "STRIP_SECONDS", 0.2)
    monkeypatch.setattr(database, "WAIT_SECONDS", 30.0)
    own.close()
    store._at.cache_clear()
    other = sqlite3.connect(studio_home / "studio.db", isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    assert "mine" in shown(runs, session)  # before it is opened
    assert (
        time.monotonic() - began < 20
    )  # a writer waits ten seconds for another's hold, twice here
    other.execute("COMMIT")
    other.close()
    assert shown(runs, session) == ["mine", "before"]
    with history().database.writing():  # a thread of this process that waits, or works for long
        began = time.monotonic()
        with ThreadPoolExecutor() as pool:
            assert "mine" in pool.submit(shown, runs, session).result()
        assert (
            time.monotonic() - began < 20
        )  # a writer waits ten seconds for another's hold, twice here
    assert shown(runs, session) == ["mine", "before"]


def test_a_picture_is_looked_up_with_one_look_into_the_history(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each opens its database, and may wait for another program that holds it."""
    runs = Runs(stream, Limits())
    session = runs.session("a")
    made = make(runs, session, "made")
    opened: list[History] = []
    monkeypatch.setattr(runs_module, "own_history", lambda: opened.append(own) or own)
    assert [one.id for one in runs.shown(session, [made])] == [made]
    assert len(opened) == 1


def test_a_page_says_in_how_many_whole_seconds_to_ask_again(
    own: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "begin", lambda history: 2.3)
    assert view.page(own, {"key": "1"})["again"] == 3
    assert view.page(own, {"key": "1", "first": 60})["again"] == 0  # a look is for the first alone
    monkeypatch.setattr(view, "begin", lambda history: 0.0)
    assert view.page(own, {"key": "1"})["again"] == 0
