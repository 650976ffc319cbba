"""The page's queue with workers: the same pictures, kept here; and one line for what cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("gradio")

import numpy as np

from studio.engine import Engine
from studio.errors import StudioError
from studio.events import Done
from studio.history import history
from studio.library import Library
from studio.preset import Preset, validate
from studio.ui import sending
from studio.ui.library.models import rescan
from studio.ui.runs import Runs
from studio.ui.sending import Sender
from studio.ui.space import Limits
from studio.workers import processes, rays
from studio.workers.choice import Choice, open_pool
from studio.workers.crew import Setup
from studio.workers.desk import Desk
from studio.workers.pool import Pool
from studio.workers.processes import Processes
from tests.support import REPOSITORY, fake_workers, tiny
from tests.support.waiting import until


@pytest.fixture
def models(studio_home: Path) -> Iterator[Library]:
    """A tiny random base as the whole library."""
    tiny.pipeline(studio_home / "models" / "tiny")
    rescan()
    yield Library()
    rescan()


def _preset(prompt: str, seed: int, count: int = 1) -> Preset:
    sampler = {"steps": 3, "seed": seed, "count": count, "width": 16, "height": 16}
    return validate({"base": "tiny", "rows": [{"prompt": prompt}], "sampler": sampler})


def _until_still(runs: Runs) -> None:
    assert runs.rest(120)


@pytest.mark.timeout(300)
def test_a_workers_events_are_the_engines_and_what_it_made_is_kept_here(models: Library) -> None:
    """One real process with an engine; two images of a batch, and what the rows pull towards."""
    preset, pools = _preset("a cat", 5, count=2), list[Pool]()

    def opened() -> Pool:
        pools.append(open_pool(Choice(1)))
        return pools[-1]

    wanted = list(Engine(library=models).generate(preset, explain=True))
    sender = Sender(Choice(1), Desk(opened))
    runs = Runs(sender, Limits(), sender.room)
    try:
        found = list(sender(preset, explain=True))
        session = runs.session("page")
        asked = runs.submit(session, preset)
        _until_still(runs)
    finally:
        for pool in pools:
            pool.close()
    assert asked.state == "done" and not asked.error and len(pools) == 1
    said = [one for one in found if getattr(one, "stage", "") != sending.WAITING]
    assert _names(said) == _names(wanted)
    for one, other in zip(_done(said), _done(wanted), strict=True):
        assert np.array_equal(np.asarray(one.image), np.asarray(other.image))
        assert one.preset == other.preset and one.shares == other.shares
        assert one.explanation is not None and other.explanation is not None
        assert one.explanation.moments == other.explanation.moments
    assert history().search().total == 2 and len(session.moments) == 2
    assert all(Path(moment.path).is_file() for moment in session.moments)


def _names(events: list[object]) -> list[str]:
    """Kinds and steps; while a worker says nothing its last progress is repeated."""
    said = {id(one): one for one in events}.values()
    return [
        f"{type(one).__name__} {getattr(one, 'step', '')} {getattr(one, 'stage', '')}"
        for one in said
    ]


def _done(events: list[object]) -> list[Done]:
    return [one for one in events if isinstance(one, Done)]


def test_runs_go_on_side_by_side_and_cancel_reaches_a_worker(
    models: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes without an engine; three runs that never end by themselves."""
    monkeypatch.setattr(processes, "serve", fake_workers.serve)
    with Pool(Processes(Setup()), 2) as pool:
        sender = Sender(Choice(2), Desk(lambda: pool, 2))
        runs = Runs(sender, Limits(), sender.room)
        session = runs.session("page")
        asked = [runs.submit(session, _preset("steps", seed)) for seed in range(3)]
        until(lambda: all(one.progress and one.progress.step > 1 for one in asked[:2]))
        assert asked[2].state == "waiting"
        runs.cancel(asked[0])
        until(lambda: asked[2].progress is not None and asked[2].progress.step > 1)
        assert asked[0].state == "cancelled" and asked[1].state == "running"
        assert len(pool.hands) == 2  # nobody was lost
        for one in asked:
            runs.cancel(one)
        _until_still(runs)


def test_without_workers_the_run_ends_with_one_line_and_the_next_may_do_better(
    models: Library,
) -> None:
    def opened() -> Pool:
        raise StudioError("no Ray cluster can be reached at a:1 (refused)", field="--workers")

    runs = Runs(Sender(Choice(1), Desk(opened)), Limits())
    for _ in range(2):
        asked = runs.submit(runs.session("page"), _preset("a cat", 1))
        _until_still(runs)
        assert asked.state == "failed"
        assert asked.error == "--workers: no Ray cluster can be reached at a:1 (refused)"


def test_what_is_wrong_with_a_preset_is_said_before_a_worker_is_asked(models: Library) -> None:
    def opened() -> Pool:
        raise AssertionError("nobody is to be hired")

    preset = _preset("a cat", 1).model_copy(update={"base": "nowhere"})
    with pytest.raises(StudioError, match="nowhere"):
        list(Sender(Choice(1), Desk(opened))(preset))


def test_without_ray_the_page_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rays.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StudioError, match=r"^--workers: ray needs a package: pip install"):
        Sender(Choice(ray=True))


def test_what_is_no_choice_of_workers_is_one_line(tmp_path: Path) -> None:
    environment = {**os.environ, "STUDIO_HOME": str(tmp_path)}
    command = [sys.executable, "app.py", "--workers", "3://x"]
    ran = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 2 and ran.stderr.startswith("--workers: got '3://x'; local, a number")
    assert ran.stderr.count("\n") == 1
