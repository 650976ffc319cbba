"""Pictures over several processes: each is made once, and what goes wrong is said in one line."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.cli import sharing
from studio.errors import StudioError
from studio.preset import Preset, validate
from tests.support import fake_makers

PRESET = validate({"rows": [{"prompt": "a cat"}]})


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Threads in place of processes, and a maker that writes a file; how many there were."""
    sizes: list[int] = []

    def threads(jobs: int, context: object, begin: Callable[..., None], given: Any) -> Any:
        sizes.append(jobs)
        return ThreadPoolExecutor(jobs, initializer=begin, initargs=given)

    def maker(roots: list[Path], device: str | None, drift: bool) -> Callable[..., None]:
        def make(preset: Preset, path: Path) -> None:
            if path.stem == "bad":
                raise StudioError("is out of order", field="rows.0.model")
            path.write_text(f"{preset.rows[0].prompt} {drift}")

        return make

    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", threads)
    monkeypatch.setattr(sharing, "maker", maker)
    return sizes


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_every_picture_is_made_whatever_the_processes(
    jobs: int, tmp_path: Path, pool: list[int]
) -> None:
    paths = [tmp_path / "pictures" / f"{i}.png" for i in range(5)]
    said: list[int] = []
    sharing.make_all([(PRESET, path) for path in paths], [], jobs, True, said.append)
    assert [path.read_text() for path in paths] == ["a cat True"] * 5
    assert said == [1, 2, 3, 4, 5] and pool == ([] if jobs == 1 else [min(jobs, 5)])


def test_what_goes_wrong_in_a_process_is_named(tmp_path: Path, pool: list[int]) -> None:
    todo = [(PRESET, tmp_path / name) for name in ("good.png", "bad.png")]
    with pytest.raises(StudioError, match=r"rows\.0\.model: is out of order"):
        sharing.make_all(todo, [], 2, False, lambda number: None)
    for jobs in (0, 65):
        with pytest.raises(StudioError, match="--jobs: got"):
            sharing.make_all(todo, [], jobs, False, lambda number: None)


def test_launched_processes_share_and_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with sharing.share([1, 2, 3]) as alone:
        assert alone == [1, 2, 3] and sharing.is_first()
    shares, waited = [], []
    monkeypatch.setenv("WORLD_SIZE", "3")
    for rank in range(3):
        state = SimpleNamespace(
            process_index=rank,
            num_processes=3,
            is_main_process=rank == 0,
            wait_for_everyone=lambda rank=rank: waited.append(rank),
        )
        monkeypatch.setattr(sharing, "_state", lambda state=state: state)
        with sharing.share(list(range(7))) as own:
            assert len(waited) == rank
            shares += own
        assert sharing.is_first() == (rank == 0)
    assert sorted(shares) == list(range(7)) and waited == [0, 1, 2]


def test_a_process_that_is_killed_is_one_line_and_what_is_made_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two real processes; the one that ends takes the pool with it, and no picture that is there."""
    monkeypatch.setattr(sharing, "_begin", fake_makers.begin)
    monkeypatch.setattr(sharing, "_one", fake_makers.one)
    paths = [tmp_path / f"{name}.png" for name in ("a", "b", "killed", "c")]
    with pytest.raises(StudioError, match=r"--jobs: a process .* has ended.*is kept"):
        sharing.make_all([(PRESET, path) for path in paths], [], 2, False, lambda number: None)
    assert paths[0].read_text() != str(os.getpid()) and paths[1].exists()
    again = [(PRESET, path) for path in (paths[3], tmp_path / "d.png")]
    said: list[int] = []
    sharing.make_all(again, [], 2, False, said.append)
    assert said == [1, 2] and all(path.exists() for _, path in again)
