"""The queue of runs: order, place, cancelling, a page that goes away and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

pytest.importorskip("gradio")


from studio.errors import StudioError
from studio.preset import Preset, validate
from studio.share import read_image
from studio.ui import run
from studio.ui.form import to_values
from studio.ui.history.moments import Moment
from studio.ui.runs import Runs
from studio.ui.session import Run, Series, Session
from studio.ui.space import SPACE, Limits
from studio.ui.wiring import generation
from tests.support.fake_engine import FakeEngine, values
from tests.support.held_engine import HeldEngine
from tests.support.waiting import until


@pytest.fixture
def engine(studio_home: Path) -> HeldEngine:
    return HeldEngine()


def preset(name: str, **sampler: int) -> Preset:
    return validate({"name": name, "rows": [{"prompt": "a cat"}], "sampler": sampler})


def test_runs_wait_in_order_and_know_their_place(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    mine, other = runs.session("a"), runs.session("b")
    first = runs.submit(mine, preset("first"))
    second = runs.submit(mine, preset("second"))
    third = runs.submit(other, preset("third"), forwards=8)
    until(lambda: first.state == "running")
    assert [len(runs.ahead(one)) for one in (second, third)] == [1, 2]
    assert runs.seconds_until(second) is None  # nothing is known before the first step
    assert "2 before this one" in run.bar_of(runs, third)
    engine.release(2)
    until(lambda: first.state == "done" and second.state == "running")
    assert [len(runs.ahead(one)) for one in (second, third)] == [0, 1]
    engine.release(4)
    until(lambda: third.state == "done")
    assert engine.started == ["first", "second", "third"] and engine.closed == 3
    assert [m.title for m in mine.moments] == ["second", "first"]


def test_the_wait_is_told_in_seconds(engine: HeldEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    engine.release(2)
    earlier = runs.submit(session, preset("first"))
    until(lambda: earlier.state == "done")
    running = runs.submit(session, preset("second"), forwards=4)
    waiting = runs.submit(session, preset("third"), forwards=4)
    until(lambda: running.state == "running")
    assert runs.seconds_until(waiting) == pytest.approx(2.0)  # 4 forwards at 2 s / 4
    assert "starts in about 2.0 s" in run.bar_of(runs, waiting)
    monkeypatch.setattr(runs, "seconds_until", lambda one: 0.0)
    assert "starts in" not in run.bar_of(runs, waiting)  # at once
    engine.release(4)
    until(lambda: waiting.state == "done")


def test_a_waiting_run_is_cancelled_without_being_begun(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    first, second = (runs.submit(session, preset(name)) for name in ("first", "second"))
    runs.cancel(second)
    assert second.state == "cancelled"
    engine.release(2)
    until(lambda: first.state == "done")
    assert engine.started == ["first"]
    assert session.current() is first and "1 of 1" in run.bar_of(runs, first)
    alone = runs.submit(session, preset("alone"))
    until(lambda: alone.state == "running")
    waiting = runs.submit(session, preset("waiting"))
    runs.cancel(waiting)
    runs.cancel(alone)
    engine.release(2)
    until(lambda: alone.state == "cancelled")
    assert session.current() is alone  # whose unfinished picture can be kept


def test_a_series_that_is_cancelled_is_shown_with_what_it_has_made(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session, series = runs.session("a"), Series(3)
    first, second, _ = (runs.submit(session, preset("x"), series=series) for _ in range(3))
    engine.release(2)
    until(lambda: first.state == "done" and second.state == "running")
    runs.cancel(second)
    engine.release(2)
    until(lambda: not session.active())
    shown = session.current()
    assert shown and run.bar_of(runs, shown).count("1 of 3 finished")


@pytest.mark.parametrize("apart", [False, True])  # as images of one run, and as runs of one press
def test_several_are_said_with_what_all_of_them_took(engine: HeldEngine, apart: bool) -> None:
    runs = Runs(engine, Limits())
    session, series = runs.session("a"), Series(3) if apart else None
    asked = [preset("x", count=1 if apart else 3)] * (3 if apart else 1)
    last = [runs.submit(session, one, series=series, label="cat.png") for one in asked][-1]
    engine.release(6)
    until(lambda: last.state == "done")
    assert "3 of 3 · 12 passes · 6.0 s" in run.bar_of(runs, last)
    alone = runs.submit(session, preset("x", seed=7))
    engine.release(2)
    until(lambda: alone.state == "done")
    assert "1 of 1 · seed 7 · 4 passes · 2.0 s" in run.bar_of(runs, alone)


def test_after_cancel_finished_ones_are_results_and_the_rest_is_marked(engine: HeldEngine) -> None:
    engine.further = True
    runs = Runs(engine, Limits())
    session = runs.session("a")
    one = runs.submit(session, preset("four", count=4, seed=5))
    engine.release(3)
    until(lambda: len(one.moments) == 1 and len(one.previews) == 3)
    runs.cancel(one)
    engine.release()
    until(lambda: one.state == "cancelled")
    shown = run.stage_of(one)["images"]
    assert [image.get("unfinished") for image in shown] == [None, 0, 1, 2]
    assert shown[1]["caption"] == "unfinished, step 1 of 2"
    assert "1 of 4 finished" in run.bar_of(runs, one)
    assert len(session.moments) == 1  # nothing unfinished is kept …
    kept = run.keep_unfinished(runs, session, 1)  # … unless it is asked for
    assert session.moments[0] == kept and "unfinished" in kept.title
    again = read_image(Path(kept.path))[0]
    assert again.sampler.seed == 5 + 1 + 1
    assert again.name.endswith("(unfinished, step 1 of 2)")
    assert to_values(again)["name"] == one.preset.name  # what is made of it is finished
    with pytest.raises(StudioError, match="unfinished"):
        run.keep_unfinished(runs, session, 3)
    _, told = generation.keep(runs, session, 0)
    assert (told["asked"], told["kept"]) == (0, [0, 1])
    _, told = generation.keep(runs, session, 3)
    assert (told["asked"], told["kept"]) == (3, [0, 1])  # its button can be pressed again
    shown = run.stage_of(one)["images"][1:]
    assert [image["kept"] for image in shown] == [True, True, False]


def test_a_failed_run_leaves_the_queue_going(studio_home: Path) -> None:
    engine = FakeEngine(fails=StudioError("wrong", field="rows.1.model"))
    runs = Runs(engine, Limits())
    session = runs.session("a")
    failed = runs.submit(session, preset("first"))
    until(lambda: failed.state == "failed")
    assert failed.error == "rows.1.model: wrong"
    engine.fails = None
    later = runs.submit(session, preset("second"))
    until(lambda: later.state == "done")


def follows(runs: Runs, session: Session) -> list[run.Update]:
    return list(run.follow(runs, session, "page"))


def test_a_page_loaded_anew_finds_its_run_and_its_results(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    updates = run.generate(runs, Limits(), session, "old page", values())
    next(updates)
    updates.close()  # type: ignore[attr-defined]  # the tab is gone
    one = session.active()[0]
    engine.release(2)
    until(lambda: one.state == "done")
    found = follows(runs, runs.session("a"))[-1]
    assert found.stage["state"] == "done" and len(found.strip["items"]) == 1
    assert 'data-state="done"' in found.progress
    assert follows(runs, runs.session("other"))[-1].strip is not found.strip


def test_a_later_follower_of_the_same_page_takes_over(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    one = runs.submit(session, preset("first"))
    until(lambda: one.state == "running")
    earlier = run.follow(runs, session, "page")
    next(earlier)
    later = run.follow(runs, session, "page")
    next(later)
    assert list(earlier) == [run.Update()]  # Gradio repeats it: nothing that is stale by then
    again = next(later)
    assert again.strip != gr.skip() and "running" in again.progress
    engine.release(2)
    assert list(later)[-1].stage["state"] == "done"


def test_one_that_was_left_behind_takes_over_from_nobody(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    runs.submit(session, preset("first"))
    behind = run.follow(runs, session, "page")
    next(behind)
    engine.release(2)
    assert follows(runs, session)[-1].stage["state"] == "done"
    runs.submit(session, preset("second"))
    later = run.follow(runs, session, "page")
    next(later)
    assert list(behind) == [run.Update()]
    engine.release(2)
    assert list(later)[-1].stage["state"] == "done" and not session.watchers


def test_the_last_update_shows_the_end_whenever_that_comes(
    engine: HeldEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("a")
    one = runs.submit(session, preset("first"))
    active = session.active

    def ends_at_once() -> list[Run]:
        found = active()
        engine.release(2)
        until(lambda: one.state == "done")
        return found

    monkeypatch.setattr(session, "active", ends_at_once)
    monkeypatch.setattr(run, "HEARTBEAT", 0.01)
    assert follows(runs, session)[-1].stage["state"] == "done"


def test_a_program_has_an_answer_to_each_of_its_runs(engine: HeldEngine) -> None:
    runs = Runs(engine, Limits())
    session = runs.session("program")

    def asked(prompt: str) -> Iterator[run.Update]:
        given = values(rows=[{"prompt": prompt}])
        return run.generate(runs, Limits(), session, "program", given, alone=True)

    first, second, third = asked("a"), asked("b"), asked("c")
    for one in (first, second, third):
        next(one)
    third.close()  # type: ignore[attr-defined]  # its program has gone, and takes its own with it
    until(lambda: session.runs[0].state == "running")
    assert [one.state for one in session.runs] == ["running", "waiting", "cancelled"]
    engine.release(8)
    last = [list(one)[-1].stage["images"][-1]["file"]["path"] for one in (first, second)]
    made = [moment.path for moment in reversed(session.moments)]
    assert last == made and [read_image(Path(one))[0].rows[0].prompt for one in last] == ["a", "b"]


def test_a_run_that_nobody_looks_at_is_dropped_on_a_shared_page(engine: HeldEngine) -> None:
    runs = Runs(engine, replace(SPACE, patience=0.0))
    one = runs.submit(runs.session("a"), preset("first"))
    engine.release(2)
    until(lambda: one.state == "cancelled")
    assert engine.closed == 1 and SPACE.patience
    assert "Given up, as no page looked at it · nothing was finished" in run.bar_of(runs, one)


def test_old_sessions_are_forgotten(engine: HeldEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.ui.runs.MOST_SESSIONS", 3)
    runs = Runs(engine, SPACE)
    first = runs.session("0")
    for index in range(1, 4):
        runs.session(str(index))
    assert runs.session("3") is runs.session("3") and runs.session("0") is not first


def test_as_many_run_at_once_as_the_stream_has_room_for(engine: HeldEngine) -> None:
    """It may find room while it runs; a series keeps its order whichever picture comes first."""
    room = [1]
    runs = Runs(engine, Limits(), lambda: room[0])
    session, series = runs.session("a"), Series(3)
    asked = [
        runs.submit(session, preset(name, seed=seed), series=series)
        for seed, name in enumerate(("first", "second", "third"))
    ]
    until(lambda: asked[0].state == "running")
    room[0] = 2
    engine.release()
    until(lambda: asked[1].state == "running")
    assert asked[2].state == "waiting" and runs.ahead(asked[2]) == asked[:2]
    until(lambda: len(engine.started) == 2)
    engine.release(5)
    until(lambda: not session.active())
    assert [moment.title for moment in series.moments] == ["first", "second", "third"]
    assert engine.started == ["first", "second", "third"] and engine.closed == 3


def test_a_series_keeps_its_order_whichever_run_ends_first() -> None:
    series, made = Series(3), [Moment(str(n), "", str(n)) for n in range(4)]
    assert [series.ask() for _ in range(3)] == [0, 1, 2]
    for place, moment in ((2, made[3]), (0, made[0]), (1, made[1]), (1, made[2])):
        series.keep(place, moment)
    assert series.moments == made
