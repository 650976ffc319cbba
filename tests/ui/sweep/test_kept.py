"""A cell of a sweep that is kept among the results."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.share import read_image
from studio.ui.runs import Runs
from studio.ui.space import SPACE, Limits
from studio.ui.sweep.kept import KEPT, THERE, keep_cell
from studio.ui.sweep.sweeper import Sweeper, Sweeps
from tests.support.fake_engine import FakeEngine
from tests.ui.sweep.test_sweeper import AXES, _run

pytestmark = pytest.mark.usefixtures("studio_home")


def _swept(limits: Limits | None = None) -> tuple[Runs, Sweeper]:
    sweeps = Sweeps(Runs(FakeEngine(), limits or Limits()))
    return sweeps.runs, _run(sweeps, AXES[1:])


def test_a_cell_is_copied_into_the_history_once(studio_home: Path) -> None:
    runs, sweeper = _swept()
    owner = runs.session("me")
    assert keep_cell(runs, owner, sweeper, [1, 0, 0]) == KEPT
    assert keep_cell(runs, owner, sweeper, [1, 0, 0]) == THERE
    (kept,) = (studio_home / "outputs").glob("*.png")
    assert read_image(kept)[0].rows[0].weight == 4
    (moment,) = runs.newest(owner)
    history = runs.history(owner)
    record = history.get(moment.id)
    assert history.file(record) == kept
    assert record.seed == 5
    assert moment.text == "seed 5"

    history.delete([record.id])  # what is in the bin is not there
    assert keep_cell(runs, owner, sweeper, [1, 0, 0]) == KEPT


def test_simultaneous_presses_copy_a_cell_once(studio_home: Path) -> None:
    runs, sweeper = _swept()
    owner = runs.session("me")
    together = threading.Barrier(4)

    def press(_: int) -> str:
        together.wait()
        return keep_cell(runs, owner, sweeper, [1, 0, 0])

    with ThreadPoolExecutor(4) as presses:
        said = list(presses.map(press, range(4)))
    assert sorted(said) == sorted([KEPT, THERE, THERE, THERE])
    assert len(list((studio_home / "outputs").glob("*.png"))) == len(owner.moments) == 1


def test_on_a_shared_page_it_is_the_visitor_s_own() -> None:
    runs, sweeper = _swept(SPACE)
    owner = runs.session("me")
    assert keep_cell(runs, owner, sweeper, [0, 0, 0]) == KEPT
    assert len(runs.newest(owner)) == 1
    assert not runs.newest(runs.session("other"))


def test_a_cell_that_is_not_there_is_refused() -> None:
    runs, sweeper = _swept()
    for place in ([7, 0, 0], None, "x"):
        with pytest.raises(StudioError, match="this cell is not there any more"):
            keep_cell(runs, runs.session("me"), sweeper, place)
    for file in sweeper.folder.glob("*.png"):
        file.unlink()
    with pytest.raises(StudioError, match="this picture is not there any more"):
        keep_cell(runs, runs.session("me"), sweeper, [0, 0, 0])
