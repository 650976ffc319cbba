"""The strip shows what the history shows: what is deleted vanishes, what is brought back comes again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio")

from PIL import Image

from studio.events import Done, Event
from studio.history import History, Query, history
from studio.history.intake import begin, take_in, wait
from studio.preset import Preset, validate
from studio.share import save_image
from studio.ui.history.moments import strip
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
