"""What waits, in the order that a person gives it, and what goes on for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.preset import Preset, validate
from studio.preset.sampler import MAX_SEED
from studio.ui import queue, run
from studio.ui.runs import Runs
from studio.ui.session import Series, next_seeds
from studio.ui.space import Limits
from tests.support.fake_engine import FakeEngine
from tests.support.held_engine import HeldEngine
from tests.support.waiting import until


@pytest.fixture
def engine(studio_home: Path) -> HeldEngine:
    return HeldEngine()


def preset(name: str, **sampler: float) -> Preset:
    return validate({"name": name, "rows": [{"prompt": "a cat"}], "sampler": sampler})


def listed(runs: Runs, key: str) -> list[str]:
    return [item["title"] for item in queue.shown(runs, runs.session(key))["items"]]


def test_what_sets_a_line_apart_is_worked_out_once(
    engine: HeldEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is drawn at every step of what runs; a line's place among the others may change."""
    compared: list[str] = []
    monkeypatch.setattr(
        queue, "differences", lambda _, preset, *names: compared.append(preset.name) or ["other"]
    )
    runs = Runs(engine, Limits())
    session = runs.session("a")
    first = runs.submit(session, preset("first"))
    until(lambda: first.state == "running")
    runs.submit(session, preset("second", steps=30))
    runs.submit(session, preset("third", steps=40))
    for _ in range(3):
        items = queue.shown(runs, session)["items"]
        assert [item["differs"] for item in items] == [["other"], ["other"]]
    assert compared == ["second", "third"]
    queue.act(runs, session, "up", items[1]["number"])
    assert listed(runs, "a") == ["third", "second"]
    assert compared == ["second", "third", "third", "second"]


def test_lines_of_one_form_say_what_sets_them_apart(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    on = runs.submit(session, preset("on", seed=3, steps=20))
    until(lambda: on.state == "running")
    runs.submit(session, preset("on", seed=4, steps=20))
    runs.submit(session, preset("on", seed=4, steps=30, width=256, height=256))
    series = Series(2)
    for seed in (8, 9):
        runs.submit(session, preset("on", seed=seed, steps=30, width=256), series=series)
    items = queue.shown(runs, session)["items"]
    assert [item["seed"] for item in items] == [4, 4, None]
    assert [item["differs"] for item in items] == [
        [],
        ["Steps: 20 → 30", "Width: none → 256", "Height: none → 256"],
        ["Height: 256 → none"],
    ]
    other = preset("on", seed=4, steps=20)
    row = other.rows[0].model_copy(update={"prompt": "a dog", "weight": 2.0})
    runs.submit(session, other.model_copy(update={"rows": (row,)}))
    last = queue.shown(runs, session)["items"][-1]
    assert last["prompt"] == "a dog" and "prompt of row 1" not in " ".join(last["differs"])
    assert last["differs"][0].startswith("weight of row 1: ")
    runs.cancel(session.active()[1])
    assert queue.shown(runs, session)["items"][0]["differs"][0] == "Steps: 20 → 30"
    for one in session.active():
        runs.cancel(one)
    engine.release(4)


def test_a_person_orders_what_is_their_own_and_nobody_elses(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    mine, other = runs.session("a"), runs.session("b")
    running = runs.submit(mine, preset("zero"))
    until(lambda: running.state == "running")
    first = runs.submit(mine, preset("first"))
    runs.submit(other, preset("theirs"))
    series = Series(2)
    pair = [runs.submit(mine, preset("pair"), series=series) for _ in range(2)]
    last = runs.submit(mine, preset("last"))
    assert listed(runs, "a") == ["first", "pair", "last"] and listed(runs, "b") == ["theirs"]
    queue.act(runs, mine, "up", last.number)
    queue.act(runs, mine, "down", first.number)
    assert listed(runs, "a") == ["last", "first", "pair"]
    queue.act(runs, mine, "up", last.number)  # it is the first already
    queue.act(runs, mine, "cancel", pair[0].number)  # and with it its series
    assert listed(runs, "a") == ["last", "first"]
    with pytest.raises(StudioError, match="queue"):
        queue.act(runs, other, "cancel", last.number)
    with pytest.raises(StudioError, match="queue"):
        queue.act(runs, other, "up", last.number)
    engine.release(8)
    until(lambda: not mine.active() and not other.active())
    assert engine.started == ["zero", "last", "theirs", "first"]


def test_all_that_waits_is_taken_out_at_once_and_what_runs_and_the_others_stay(
    engine: HeldEngine,
) -> None:
    runs = Runs(engine, Limits())
    own, other = runs.session("a"), runs.session("b")
    first = runs.submit(own, preset("first"))
    until(lambda: first.state == "running")
    for session, name in ((own, "second"), (other, "theirs"), (own, "third")):
        runs.submit(session, preset(name))
    queue.act(runs, own, "clear", 0)
    assert (listed(runs, "a"), listed(runs, "b")) == ([], ["theirs"])
    assert first.state == "running" and not first.cancelled
    queue.act(runs, own, "clear", 0)  # nothing more is there


def test_of_a_series_that_is_begun_only_what_waits_is_taken_out(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session, series = runs.session("a"), Series(3)
    begun, *waiting = [runs.submit(session, preset(name), series=series) for name in "abc"]
    until(lambda: begun.state == "running")
    runs.submit(session, preset("other"))
    queue.act(runs, session, "clear", 0)
    assert not begun.cancelled and [run.state for run in waiting] == ["cancelled"] * 2
    assert listed(runs, "a") == []
    engine.release(4)
    until(lambda: begun.state == "done" and len(series.moments) == 1)
    assert engine.started == ["a"]


def test_forever_goes_on_with_the_next_seeds_until_it_is_told(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    began = runs.submit(session, preset("on", seed=5, count=2), forever=True)
    engine.release(4)
    until(lambda: began.state == "done" and session.active())
    second = session.active()[0]
    until(lambda: second.state == "running")
    shown = run.stage_of(second)["images"]  # what was made stays in sight until there is more
    assert [one["file"]["path"] for one in shown] == [moment.path for moment in began.moments]
    (item,) = queue.shown(runs, session)["items"]
    assert item["forever"] and not item["waits"] and item["images"] == 2
    waiting = runs.submit(session, preset("between"))  # others come between two of it
    engine.release(4)
    until(lambda: waiting.state == "running")
    third = session.active()[-1]
    assert third.number == began.number  # the button that one presses is that of whichever is on
    queue.act(runs, session, "last", began.number)
    engine.release(6)
    until(lambda: not session.active())
    assert engine.started == ["on", "on", "between", "on"]
    made = [moment.preset().sampler.seed for moment in reversed(session.moments)]
    assert made == [5, 6, 7, 8, 7, 9, 10]
    assert third.earlier == 4


def test_a_cancel_of_it_counts_what_came_before(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    runs.submit(session, preset("on"), forever=True)
    engine.release(2)
    until(lambda: session.moments and session.active() and session.active()[0].state == "running")
    second = session.active()[0]
    runs.cancel(second)
    engine.release()
    until(lambda: not session.active())
    assert "Cancelled · 1 image finished" in run.bar_of(runs, second)


def test_cancel_and_mistakes_end_it(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    one = runs.submit(session, preset("on"), forever=True)
    until(lambda: one.state == "running")
    runs.cancel(one)
    engine.release()
    until(lambda: one.state == "cancelled")
    assert not session.active()
    failing = Runs(FakeEngine(fails=StudioError("wrong")), Limits())
    failed = failing.submit(failing.session("b"), preset("on"), forever=True)
    until(lambda: failed.state == "failed")
    assert not failing.session("b").active()


def test_a_full_disk_ends_it(engine: HeldEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs(engine, Limits())
    keep = runs._saved

    def unsaved(one: run.Run, done: object) -> object:
        one.problem = "no space left"
        return keep(one, done)  # type: ignore[arg-type]

    monkeypatch.setattr(runs, "_saved", unsaved)
    one = runs.submit(runs.session("a"), preset("on"), forever=True)
    engine.release(2)
    until(lambda: one.state == "done")
    assert not runs.session("a").active()


@pytest.mark.parametrize(
    ("given", "then"),
    [
        ({"seed": 5, "count": 3}, {"seed": 8}),
        ({"seed": MAX_SEED}, {"seed": 0}),
        (
            {"seed": 5, "variation_seed": 2, "variation_strength": 0.5},
            {"seed": 5, "variation_seed": 3},
        ),
        ({"seed": 5, "variation_strength": 0.5}, {"seed": 5, "variation_seed": -1}),
    ],
)
def test_the_next_seeds_follow_the_last(given: dict[str, float], then: dict[str, int]) -> None:
    sampler = next_seeds(preset("one", **given)).sampler
    assert {name: getattr(sampler, name) for name in then} == then


def test_a_page_at_rest_is_told_how_many_come_before_it_and_no_more(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits(shared=True))
    mine, other = runs.session("a"), runs.session("b")
    known = {"items": [], "start": queue.THIS_START}
    assert queue.shown(runs, mine) == known | {"ahead": None}
    engine.release(2)
    done = runs.submit(other, preset("first"))
    until(lambda: done.state == "done")
    for name in ("secret", "secret too"):
        runs.submit(other, preset(name), forwards=16)
    until(lambda: len(engine.started) == 2)
    # 16 passes each, at 2 s for the 4 of the first
    text = "2 runs before yours · starts in about 16 s"
    assert queue.shown(runs, mine) == known | {"ahead": {"text": text, "again": 16.0}}
    assert queue.shown(runs, other)["ahead"] is None  # whose place the bar says
    runs.cancel(other.active()[1])
    engine.release()  # the preview: half of the passes
    until(lambda: bool(other.active()[0].previews))
    assert queue.shown(runs, mine)["ahead"]["again"] < 10  # a line that is over goes soon
    for one in other.active()[::-1]:
        runs.cancel(one)
    engine.release(2)
    until(lambda: not other.active())
    assert queue.shown(runs, mine)["ahead"] is None


def test_where_there_is_room_nobody_is_before(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits(), room=lambda: 2)
    first = runs.submit(runs.session("b"), preset("first"))
    until(lambda: first.state == "running")
    assert queue.shown(runs, runs.session("a"))["ahead"] is None
    engine.release(2)
    until(lambda: first.state == "done")


def test_one_of_a_series_is_skipped_and_the_others_are_made(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session, series = runs.session("a"), Series(3)
    first, second, third = (runs.submit(session, preset(n), series=series) for n in "abc")
    alone = runs.submit(session, preset("alone"))
    until(lambda: first.state == "running")
    waiting, other = queue.shown(runs, session)["items"]
    assert waiting["skips"] and not other["skips"]
    queue.act(runs, session, "skip", waiting["number"])
    engine.release(1)
    until(lambda: first.state == "cancelled" and second.state == "running")
    with pytest.raises(StudioError, match="does not wait any more"):
        queue.act(runs, session, "skip", second.number)
    with pytest.raises(StudioError, match="does not wait any more"):
        queue.act(runs, session, "skip", alone.number)  # of no series
    engine.release(6)
    until(lambda: not session.active())
    assert [one.state for one in (second, third, alone)] == ["done"] * 3
    assert len(series.moments) == 2


def test_a_series_says_how_many_of_it_failed_and_why(studio_home: Path) -> None:
    engine = FakeEngine()
    runs, series = Runs(engine, Limits()), Series(3)
    session = runs.session("visitor")
    for label, fails in (("cat", None), ("dog", StudioError("wrong", field="rows.0.model"))):
        engine.fails = fails
        one = runs.submit(session, preset("cats"), series=series, label=label)
        until(lambda: not one.active())  # noqa: B023
    bar = run.bar_of(runs, one)
    assert "1 failed · dog: row 1, model: wrong" in bar and 'data-state="failed"' in bar
    engine.fails = None
    last = runs.submit(session, preset("cats"), series=series, label="fox")
    until(lambda: not last.active())
    bar = run.bar_of(runs, last)
    assert "1 failed · dog: row 1, model: wrong" in bar and 'data-state="failed"' in bar
