"""Sweeps of earlier days: what is listed of them, their form and axes again, and their files gone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.experiments import sweeping
from studio.experiments.making import one_by_one
from studio.preset import Preset, validate
from studio.preset.sweep import Axis, parse_axis
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.sweep import earlier
from studio.ui.sweep.asked import here, look, three
from studio.ui.sweep.earlier import delete, listed, opened
from studio.ui.sweep.sweeper import Sweeper, Sweeps
from studio.ui.wiring.sweep import follow
from tests.support.fake_engine import FakeEngine
from tests.support.held_engine import HeldEngine
from tests.support.waiting import until

PRESET = validate({"name": "mine", "rows": [{"prompt": "a red cat", "weight": 3.0}]})
OMEGA, TEXTS = parse_axis("omega=0:1:0.5", ""), parse_axis('prompts=["red","blue"]', "")


def _run(sweeps: Sweeps, axes: Sequence[Axis], preset: Preset = PRESET) -> Sweeper:
    sweeps.start("me", preset, axes)
    for _ in follow(sweeps.of("me")):
        pass
    return sweeps.of("me")


def test_what_was_swept_before_is_listed_and_its_form_is_that_of_then(studio_home: Path) -> None:
    """Also by a studio that was started anew; the seed that was drawn then is in the form."""
    made = _run(Sweeps(Runs(FakeEngine(), Limits())), [OMEGA, TEXTS])
    again = Sweeps(Runs(FakeEngine(), Limits())).of("other")
    for file in again.folder.iterdir():
        os.utime(file, (1e9, 1e9) if file.suffix == ".png" else (2e9, 2e9))  # it was shown since
    [line] = listed(again.folder)
    assert line["when"] == 1e9
    assert (line["name"], line["made"], line["total"]) == ("mine", 6, 6)
    assert line["axes"] == [{"field": "omega", "count": 3}, {"field": "prompts", "count": 2}]
    assert line["src"].startswith("data:image/jpeg")
    preset, axes = opened(again.folder, line["stem"])
    assert axes == [
        {"field": "omega", "values": "0:1:0.5"},
        {"field": "prompts", "values": '["red", "blue"]'},
    ]
    assert made.state.sweep and preset == made.state.sweep.preset
    found = look(preset, axes, Limits(), lambda: None)
    assert here(preset, found.axes, again.folder) == 6
    assert sweeping.stem_of(preset, three(found.axes), [], again.folder) == line["stem"]


def test_a_sweep_that_a_crash_has_cut_is_listed_with_what_it_made(tmp_path: Path) -> None:
    def make(preset: Preset, path: Path) -> dict[str, float]:
        Image.new("RGB", (8, 8)).save(path)
        return {"seconds": 1.0}

    asked = sweeping.begin(PRESET, (OMEGA, None, None), [], tmp_path)
    making = sweeping.run(asked, tmp_path, one_by_one(make))
    next(making)
    making.close()
    [line] = listed(tmp_path)
    assert (line["made"], line["total"]) == (1, 3)
    assert opened(tmp_path, line["stem"])[0] == asked.preset


def test_one_goes_with_its_files_and_the_others_stay(studio_home: Path) -> None:
    sweeps = Sweeps(Runs(FakeEngine(), Limits()))
    folder = _run(sweeps, [OMEGA]).folder
    first = {file.name for file in folder.iterdir()}
    _run(sweeps, [TEXTS])
    (folder / "sweep-0123456789.json").write_text('{"seed": 3')  # damaged: says nothing of itself
    newest, other = listed(folder)
    assert newest["axes"] == [{"field": "prompts", "count": 2}]
    delete(sweeps, "me", newest["stem"])
    assert {file.name for file in folder.iterdir()} == first | {"sweep-0123456789.json"}
    assert listed(folder) == [other]
    assert sweeps.of("me").state.sweep is None  # nor does a page that is loaded anew show it
    for strange in (newest["stem"], "../studio", "sweep-0123456789/../x", None):
        with pytest.raises(StudioError, match="not there any more"):
            delete(sweeps, "me", strange)
        with pytest.raises(StudioError, match="not there any more"):
            opened(folder, strange)


def test_one_that_runs_is_not_removed(studio_home: Path) -> None:
    engine = HeldEngine()
    sweeps = Sweeps(Runs(engine, Limits()))
    sweeps.start("me", PRESET, [OMEGA])
    sweeper = sweeps.of("me")
    until(lambda: bool(engine.started))
    with pytest.raises(StudioError, match="stop it first"):
        delete(sweeps, "another", sweeper.stem)
    assert (sweeper.folder / f"{sweeper.stem}.json").is_file()
    sweeper.stop()
    engine.release()
    *_, last = follow(sweeper)
    assert last["state"] == "stopped"


def test_a_small_picture_is_read_once(studio_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _run(Sweeps(Runs(FakeEngine(), Limits())), [OMEGA]).folder
    read: list[str] = []
    monkeypatch.setattr(earlier, "small", lambda path: read.append(path.name) or path.name)
    [line] = listed(folder)
    assert [line] == listed(folder) and read == [line["src"]]
    os.utime(folder / line["src"], (1e9, 1e9))
    listed(folder)
    assert read == [line["src"]] * 2


def test_what_cannot_be_removed_is_listed_still(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeps = Sweeps(Runs(FakeEngine(), Limits()))
    folder = _run(sweeps, [OMEGA]).folder
    [line] = listed(folder)
    unlink = Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".csv":
            raise PermissionError("in use")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", held)
    with pytest.raises(StudioError, match="cannot be removed"):
        delete(sweeps, "me", line["stem"])
    assert [one["stem"] for one in listed(folder)] == [line["stem"]]
