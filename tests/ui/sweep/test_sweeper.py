"""The sweep behind the page: through the queue, stopped, gone on with, shared with the verb."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.engine.detail import NONE_FOUND
from studio.errors import StudioError
from studio.events import Done, Event
from studio.experiments import sweeping
from studio.experiments.making import one_by_one
from studio.preset import Preset, validate
from studio.preset.sweep import Axis, parse_axis
from studio.share import read_image
from studio.ui.runs import Runs
from studio.ui.space import SPACE, Limits
from studio.ui.sweep.asked import three
from studio.ui.sweep.shown import around_cell, cells_of, file_of, picture_of, shot_at, state_of
from studio.ui.sweep.sweeper import Sweeper, Sweeps
from studio.ui.wiring.sweep import follow
from tests.support.fake_engine import FakeEngine
from tests.support.held_engine import EVENTS, HeldEngine
from tests.support.waiting import until

PRESET = validate({"rows": [{"prompt": "a", "weight": 3.0}], "sampler": {"steps": 2, "seed": 5}})
AXES = [parse_axis("omega=0:1:0.25", ""), parse_axis("rows.0.weight=2,4", "")]


def _sweeps(engine: FakeEngine | HeldEngine, limits: Limits | None = None) -> Sweeps:
    return Sweeps(Runs(engine, limits or Limits()))


def _run(sweeps: Sweeps, axes: Sequence[Axis] = AXES, preset: Preset = PRESET) -> Sweeper:
    sweeps.start("me", preset, axes)
    for _ in follow(sweeps.of("me")):
        pass
    return sweeps.of("me")


def test_every_cell_is_made_and_kept(studio_home: Path) -> None:
    engine = FakeEngine()
    sweeper = _run(_sweeps(engine))
    state = sweeper.state
    assert (state.state, state.text) == ("done", "10 pictures.")
    assert [(p.omega, p.rows[0].weight) for p in engine.seen] == [
        (omega, weight) for weight in (2, 4) for omega in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert sweeper.folder == studio_home / "sweeps"
    assert not (studio_home / "outputs").exists()  # no part of the history
    told = cells_of(sweeper, state_of(state)["stem"], 8)["cells"]
    assert [one["place"] for one in told] == [[3, 1, 0], [4, 1, 0]]
    assert all(one["src"].startswith("data:image/jpeg") for one in told)
    assert cells_of(sweeper, "another", 0) == {"cells": []}
    assert picture_of(sweeper, [4, 1, 0])["src"].startswith("data:image/png")
    with pytest.raises(StudioError, match="not there any more"):
        picture_of(sweeper, "/etc/passwd")
    made = read_image(sweeper.folder / shot_at(state, [3, 1, 0]).name)[0]
    assert (made.omega, made.rows[0].weight, made.sampler.count) == (0.75, 4, 1)


def test_what_is_to_be_known_of_its_pictures_is_said_and_kept(studio_home: Path) -> None:
    class Noting(FakeEngine):
        def __call__(self, preset: Preset, explain: bool = False) -> Iterator[Event]:
            for event in super().__call__(preset, explain):
                noted = isinstance(event, Done) and preset.omega > 0.5
                yield replace(event, notes=(NONE_FOUND,)) if noted else event

    said = (
        "Detail pass, finds: nothing was found, so that no part was made again · 4 of 10 pictures"
    )
    for _ in range(2):  # the second finds all of them made
        assert state_of(_run(_sweeps(Noting())).state)["notes"] == [said]


def test_stopped_in_the_middle_it_leaves_files_and_goes_on(studio_home: Path) -> None:
    engine = HeldEngine(further=True)
    sweeps = _sweeps(engine)
    sweeps.start("me", PRESET, AXES)
    sweeper = sweeps.of("me")
    engine.release(3 * EVENTS + 1)  # it stands still in the fourth
    until(lambda: len(sweeper.state.made) == 3)
    with pytest.raises(StudioError, match="sweep: one runs already"):
        sweeps.start("me", PRESET, AXES)
    with pytest.raises(StudioError, match="sweep: the same one runs on another page"):
        sweeps.start("other", PRESET, AXES)
    sweeper.stop()
    engine.release()
    *_, last = follow(sweeper)
    assert last["state"] == "stopped" and last["made"] == 3 and last["files"]
    for what, suffix in (("png", ".png"), ("csv", ".csv"), ("json", ".json")):
        assert Path(file_of(sweeper, what)["file"]["path"]).suffix == suffix
    document = json.loads(Path(file_of(sweeper, "json")["file"]["path"]).read_text())
    assert len(document["cells"]) == last["made"]
    before = len(engine.started)
    engine.release(10 * EVENTS)
    _run(sweeps)
    assert sweeper.state.state == "done"
    assert len(engine.started) - before == 10 - last["made"]  # none is made twice


def test_stop_as_a_picture_is_asked_for_ends_that_one_too(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = HeldEngine()
    sweeps = _sweeps(engine)
    sweeper, submit = sweeps.of("me"), sweeps.runs.submit

    def asked_for(*given: Any, **more: Any) -> Any:
        run = submit(*given, **more)
        sweeper.stop()
        return run

    monkeypatch.setattr(sweeps.runs, "submit", asked_for)
    sweeps.start("me", PRESET, AXES)
    until(lambda: sweeper._run is not None and sweeper._run.cancelled)
    engine.release(10 * EVENTS)
    *_, last = follow(sweeper)
    assert last["state"] == "stopped" and last["made"] == 0


def test_one_that_has_said_its_end_makes_room_for_the_next(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes, tell = threading.Event(), Sweeper._tell

    def slow(self: Sweeper, **changes: Any) -> None:
        tell(self, **changes)
        if changes.get("state") == "done":
            goes.wait(20)  # its thread stands for a moment yet

    monkeypatch.setattr(Sweeper, "_tell", slow)
    sweeps = _sweeps(FakeEngine())
    assert _run(sweeps).state.state == "done"
    monkeypatch.undo()
    assert _run(sweeps).state.state == "done"
    goes.set()


def test_page_and_verb_share_a_folder(studio_home: Path) -> None:
    """What the verb's own code has begun, with a seed of its own choice, the page ends."""
    preset = PRESET.with_seed(-1)
    asked = sweeping.begin(preset, three(AXES), [], studio_home / "sweeps")
    (studio_home / "sweeps").mkdir()

    def make(preset: Preset, path: Path) -> dict[str, int]:
        Image.new("RGB", (16, 16)).save(path)
        return {"forwards": 1}

    begun = sweeping.run(asked, studio_home / "sweeps", one_by_one(make))
    first = [next(begun)[1] for _ in range(4)]
    engine = FakeEngine()
    state = _run(_sweeps(engine), preset=preset).state
    assert state.state == "done" and len(engine.seen) == 6
    assert {one.sampler.seed for one in engine.seen} == {asked.preset.sampler.seed}
    assert [line for _, line in state.made][:4] == first
    assert set(state.made[-1][1]) == {"x", "y", "z", "seed", "seconds", "forwards", "path"}


def test_one_over_a_masked_start_goes_on_from_before_it_could_begin_otherwise(
    studio_home: Path,
) -> None:
    """Its name is what was made of this before a start picture had ``under_mask``; as it is by default
    that is in no preset that is written down."""
    init = {"image": "inputs/a.png", "mask": "inputs/b.png", "strength": 0.5}
    saved = {"rows": [{"prompt": "a cat"}], "init": init, "sampler": {"seed": 3}}
    axes, folder = (Axis("omega", (0.0, 1.0)), None, None), studio_home / "sweeps"
    folder.mkdir()
    name = "sweep-6b568bac04"
    picture = f"{name}-x00-y00-z00-seed3.png"
    Image.new("RGB", (16, 16)).save(folder / picture)
    line = {"x": 0.0, "y": None, "z": None, "seed": 3, "seconds": 1.0, "path": picture}
    (folder / f"{name}.json").write_text(json.dumps({"preset": saved, "seed": 3}))
    (folder / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
    now = validate(saved)
    assert now.init and now.init.under_mask == "picture"
    sweep = sweeping.begin(now, axes, [], folder)
    made: list[Path] = []
    found = [
        one
        for _, one in sweeping.run(
            sweep, folder, one_by_one(lambda _, path: made.append(path) or {})
        )
    ]
    assert found[0] == line and [path.name for path in made] == [f"{name}-x01-y00-z00-seed3.png"]
    other = now.model_copy(
        update={"init": now.init.model_copy(update={"under_mask": "surroundings"})}
    )
    assert sweeping.stem_of(other, axes, [], folder) != name


def test_three_axes_come_as_pages_and_as_one_zip(studio_home: Path) -> None:
    sweeper = _run(_sweeps(FakeEngine()), [*AXES, parse_axis("decoupling=0,1", "")])
    assert len(sweeper.state.grids) == 2 and len(sweeper.state.made) == 20
    assert file_of(sweeper, "png")["name"].endswith(".zip")
    assert [axis["field"] for axis in state_of(sweeper.state)["axes"]][2] == "decoupling"


def test_around_a_cell_are_half_steps(studio_home: Path) -> None:
    sweeper = _run(_sweeps(FakeEngine()))
    preset, axes = around_cell(sweeper.state, shot_at(sweeper.state, [1, 1, 0]))
    assert (preset.omega, preset.rows[0].weight) == (0.25, 4)
    assert axes == [
        {"field": "omega", "values": "0:0.5:0.125"},
        {"field": "rows.0.weight", "values": "3:5:1"},
    ]
    words = _run(_sweeps(FakeEngine()), [parse_axis("rows.0.prompt=a,b", "")])
    with pytest.raises(StudioError, match="no axis has numbers"):
        around_cell(words.state, shot_at(words.state, [1, 0, 0]))


def test_what_goes_wrong_is_one_line_and_what_is_made_stays(studio_home: Path) -> None:
    engine = FakeEngine(fails=StudioError("is full", field="disk"))
    state = _run(_sweeps(engine)).state
    assert (state.state, state.text) == ("failed", "sweep: disk: is full")
    missing = PRESET.model_copy(update={"base": "nowhere"})
    state = _run(_sweeps(FakeEngine()), preset=missing).state
    assert state.state == "failed" and state.text.startswith("Base model: ") and not state.made


def test_a_visitor_stays_in_a_folder_of_their_own(studio_home: Path) -> None:
    sweeps = _sweeps(FakeEngine(pause=0.02), SPACE)
    for key in ("anna", "bert"):
        sweeps.start(key, PRESET, AXES[:1], visitor=key)  # the same one: each makes their own
    folders = {key: sweeps.of(key).folder for key in ("anna", "bert")}
    assert folders == {key: studio_home / "outputs" / key / "sweeps" for key in ("anna", "bert")}
    for key in ("anna", "bert"):
        *_, last = follow(sweeps.of(key))
        assert last["state"] == "done"
        assert len(list(folders[key].glob("*-seed5.png"))) == 5
    written = {path.parent for path in studio_home.rglob("*") if path.is_file()}
    assert written == set(folders.values())


def test_one_that_nobody_looks_at_is_dropped_on_a_shared_page(studio_home: Path) -> None:
    impatient = Limits(shared=True, patience=0.0)
    sweeps = _sweeps(FakeEngine(pause=0.01), impatient)
    sweeps.start("me", PRESET, AXES)
    sweeper = sweeps.of("me")
    until(lambda: not sweeper.running())
    assert sweeper.state.state == "stopped" and len(sweeper.state.made) == 0
    assert sweeper.state.text == "Stopped, as no page looked at it: 0 of 10 pictures are made."


def test_a_page_that_has_been_open_for_long_is_looked_at_when_it_asks(studio_home: Path) -> None:
    patient = Limits(shared=True, patience=60.0)
    sweeps = _sweeps(FakeEngine(), patient)
    sweeps.of("me").session.looked -= 600  # as the page was opened, or swept last, long ago
    sweeps.start("me", PRESET, AXES)
    until(lambda: not sweeps.of("me").running())  # within those sixty seconds nobody need look
    assert sweeps.of("me").state.text == "10 pictures."
