"""Pictures over several processes: each is made once, and what goes wrong is said in one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio.cli import pooling, sharing
from studio.errors import StudioError
from studio.preset import Preset
from studio.share import read_image
from studio.workers.choice import Choice
from studio.workers.crew import Made, Mistake
from studio.workers.job import Job
from studio.workers.pool import Pool
from tests.support.fake_crew import PRESET, FakeCrew, made


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch) -> FakeCrew:
    """Workers without an engine in place of processes; this process's own maker has none either."""

    def behaves(worker: int, one: Job) -> Made | Mistake:
        if one.preset.sampler.seed == 13:
            return Mistake("is out of order", "rows.0.model")
        return made(one)

    def maker(
        roots: list[Path], device: str | None, drift: bool
    ) -> Callable[[Preset, Path], dict[str, object]]:
        def make(preset: Preset, path: Path) -> dict[str, object]:
            if preset.sampler.seed == 13:
                raise StudioError("is out of order", field="rows.0.model")
            return pooling.kept_picture(made(Job(preset)).done[0], path, roots, drift)

        return make

    found = FakeCrew(behaves)
    monkeypatch.setattr(pooling, "maker", maker)
    monkeypatch.setattr(
        pooling, "open_pool", lambda choice, *_: Pool(found, choice.count, pooling.tell)
    )
    monkeypatch.setattr(pooling, "Packer", lambda *_, **__: Job)
    return found


def _todo(folder: Path, seeds: Sequence[int]) -> list[tuple[Preset, Path]]:
    return [(PRESET.with_seed(seed), folder / "pictures" / f"{seed}.png") for seed in seeds]


@pytest.mark.parametrize("workers", [0, 1, 2, 8])
def test_every_picture_is_made_whoever_makes_them(
    workers: int, tmp_path: Path, crew: FakeCrew
) -> None:
    todo = _todo(tmp_path, range(5))
    said: list[int] = []
    sharing.make_all(todo, [], Choice(workers), True, said.append)
    assert [read_image(path)[0].sampler.seed for _, path in todo] == list(range(5))
    assert all(path.with_suffix(".json").exists() for _, path in todo)  # the drift
    assert said == [1, 2, 3, 4, 5] and len(crew.hired) == min(workers, 5)


def test_what_goes_wrong_in_a_worker_is_named(tmp_path: Path, crew: FakeCrew) -> None:
    todo = _todo(tmp_path, [1, 13])
    for workers in (0, 2):
        with pytest.raises(StudioError, match=r"rows\.0\.model: is out of order"):
            sharing.make_all(todo, [], Choice(workers), False, lambda number: None)


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
    with pytest.raises(StudioError, match="--workers: accelerate launch has started"):
        sharing.make_all([], [], Choice(2), False, lambda number: None)
