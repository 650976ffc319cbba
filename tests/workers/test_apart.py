"""A crew in a process of its own: whatever ends that process ends no page."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from studio.errors import StudioError
from studio.workers.apart import Apart
from studio.workers.crew import Setup
from studio.workers.desk import Desk
from studio.workers.pool import Pool
from tests.support.fake_crew import crew_of_two, job, made, seed_of


def _pool(address: Path | str) -> Pool:
    crew = Apart(str(address), Setup(), crew_of_two)
    return Pool(crew, crew.places)


def _children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]


def test_jobs_go_there_and_pictures_come_back(tmp_path: Path) -> None:
    with _pool(tmp_path) as pool:
        assert len(pool.places) == 2
        found = sorted((n, seed_of(one)) for n, one in pool.run([job(n) for n in range(5)], _same))
    assert found == [(n, n) for n in range(5)] and not _children()


def _same(one: object) -> object:
    return one


def test_the_process_that_ends_in_mid_run_is_replaced_and_the_job_made(tmp_path: Path) -> None:
    opened: list[Pool] = []

    def open_one() -> Pool:
        opened.append(_pool(tmp_path / "once"))
        return opened[-1]

    desk = Desk(open_one)
    try:
        events = list(desk.events(job(2), 60))
        assert [getattr(one, "seed", None) for one in events] == [made(job(2)).done[0].seed]
        assert len(opened) == 2 and desk.room() == 2
    finally:
        opened[-1].close()
    assert not _children()


def test_a_cluster_that_is_not_there_is_one_line_and_leaves_nothing() -> None:
    with pytest.raises(StudioError, match=r"^--workers: no Ray cluster can be reached at nowhere"):
        _pool("nowhere")
    assert not _children()
