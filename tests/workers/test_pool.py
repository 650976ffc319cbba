"""The pool with workers that need no engine: each picture once, whatever becomes of a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from studio.errors import StudioError
from studio.workers.crew import Lacking, Made, Mistake, Moved, Ready
from studio.workers.hands import MOST_STRIKES, WINDOW
from studio.workers.job import Job
from studio.workers.pool import IN_HAND, MOST_TRIES, START_SECONDS, Pool
from studio.workers.versions import versions
from tests.support.fake_crew import FakeCrew, job, made, seed_of


def _same(task: Job) -> Job:
    return task


def _seeds(run: Iterator[tuple[int, Made]]) -> list[int]:
    """The pictures of a run, each under the number of its own task."""
    found = []
    for index, answer in run:
        assert seed_of(answer) == index
        found.append(index)
    return found


class Clock:
    """Seconds that pass where a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_every_picture_is_made_once_and_no_worker_is_hired_for_nothing() -> None:
    for tasks, workers in ((10, 3), (2, 8), (1, 1), (200, 4), (0, 3)):
        crew = FakeCrew()
        with Pool(crew, workers) as pool:
            assert sorted(_seeds(pool.run([job(n) for n in range(tasks)], _same))) == list(
                range(tasks)
            )
        assert len(crew.hired) == min(tasks, workers) and crew.stopped == 1
        assert crew.most_in_hand <= IN_HAND


def test_jobs_are_made_as_they_are_needed() -> None:
    packed: list[int] = []

    def pack(seed: int) -> Job:
        packed.append(seed)
        return job(seed)

    with Pool(FakeCrew(), 2) as pool:
        run = pool.run(range(1000), pack)
        next(run)
        assert len(packed) < WINDOW + 3 * IN_HAND
        run.close()


@pytest.mark.parametrize("dies", [{3}, {0}, {0, 1, 2, 3}])
def test_a_lost_worker_takes_no_picture_with_it(dies: set[int]) -> None:
    """Those whose picture is named end with it, once; another is hired in their place."""
    said: list[str] = []
    left = set(dies)

    def behaves(worker: int, one: Job) -> Made | str:
        seed = one.preset.sampler.seed
        if seed in left:
            left.remove(seed)
            return "ended by signal 9"
        return made(one)

    crew = FakeCrew(behaves)
    with Pool(crew, 2, said.append) as pool:
        found = Counter(_seeds(pool.run([job(n) for n in range(12)], _same)))
    assert found == Counter(range(12))
    assert len(said) == len(dies) and "ended by signal 9" in said[0]


def test_what_kills_every_worker_is_tried_a_few_times() -> None:
    def behaves(worker: int, one: Job) -> Made | str:
        return "no memory" if one.preset.sampler.seed == 4 else made(one)

    crew = FakeCrew(behaves)
    found = []
    with (
        Pool(crew, 4) as pool,
        pytest.raises(StudioError, match=r"--workers: picture 5 has cost 3 workers.*no memory"),
    ):
        found += [index for index, _ in pool.run([job(n) for n in range(9)], _same)]
    assert sum(seed == 4 for _, seed in crew.given) <= MOST_TRIES * IN_HAND


def test_a_mistake_is_an_answer_and_no_loss() -> None:
    """It ends the run with its own words; what came with it is passed on first."""

    def behaves(worker: int, one: Job) -> Made | Mistake:
        bad = one.preset.sampler.seed == 2
        return Mistake("is out of order", "rows.0.model") if bad else made(one)

    crew, found = FakeCrew(behaves), []
    with Pool(crew, 1) as pool:
        with pytest.raises(StudioError, match=r"^rows\.0\.model: is out of order$"):
            found += [0 for _ in pool.run([job(n) for n in range(5)], _same)]
        assert crew.hired == [0] and not crew.dismissed
        assert crew.given[-1][1] <= 3  # it, and what was in hand behind it
        again = [job(n) for n in range(2)]  # the worker is as good as before
        assert _seeds(pool.run(again, _same)) == [0, 1] and crew.hired == [0]


def test_a_job_that_cannot_be_made_is_a_mistake_after_those_before_it() -> None:
    def pack(seed: int) -> Job:
        if seed == 3:
            raise StudioError("is not in the library", field="rows.1.model")
        return job(seed)

    crew, found = FakeCrew(), []
    with Pool(crew, 2) as pool, pytest.raises(StudioError, match=r"rows\.1\.model: is not in"):
        for index, _ in pool.run(range(6), pack):
            found.append(index)
    assert sorted(found) == [0, 1, 2] and not crew.dismissed


def test_an_error_while_hiring_stops_nothing_or_is_one_line() -> None:
    def one_starts(worker: int) -> Ready | Exception:
        return ValueError("no more handles") if worker % 2 else Ready(worker, versions())

    with Pool(FakeCrew(starts=one_starts), 2) as pool:
        assert len(_seeds(pool.run([job(n) for n in range(6)], _same))) == 6
    crew = FakeCrew(starts=lambda worker: ValueError("no more\nhandles"))
    with (
        Pool(crew, 2) as pool,
        pytest.raises(StudioError, match=r"--workers: no worker is left.*no more handles"),
    ):
        list(pool.run([job(0), job(1)], _same))
    assert len(crew.hired) == 2 * MOST_STRIKES


def test_workers_of_other_versions_are_not_asked() -> None:
    other = {**versions(), "torch": "1.0.0"}
    said: list[str] = []

    def starts(worker: int) -> Ready:
        return Ready(worker, other if worker == 0 else versions(), "host-a")

    crew = FakeCrew(starts=starts)
    with Pool(crew, 2, said.append) as pool:
        assert len(_seeds(pool.run([job(n) for n in range(4)], _same))) == 4
    assert crew.dismissed == [0] and crew.hired == [0, 1]  # and none is hired in its place
    assert {worker for worker, _ in crew.given} == {1}
    (line,) = said
    assert "host-a" in line and "torch 1.0.0 there" in line
    crew = FakeCrew(starts=lambda worker: Ready(worker, other))
    with Pool(crew, 2) as pool, pytest.raises(StudioError, match=r"is left.*torch 1\.0\.0 there"):
        list(pool.run([job(0), job(1)], _same))


def test_workers_of_another_kind_of_device_are_not_asked() -> None:
    crew = FakeCrew(
        starts=lambda worker: Ready(worker, versions(), device=("cuda", "cpu")[worker % 2])
    )
    with Pool(crew, 2) as pool:
        list(pool.run([job(n) for n in range(4)], _same))
    assert crew.dismissed == [1] and {worker for worker, _ in crew.given} == {0}


def test_a_worker_that_lacks_a_model_gets_other_work() -> None:
    def behaves(worker: int, one: Job) -> Made | Lacking:
        if worker == 0 and "lora" in one.models:
            return Lacking({"lora": "lacks the model 'lora'"})
        return made(one)

    tasks = [job(n, lora="x") if n % 2 else job(n, base="y") for n in range(8)]
    said: list[str] = []
    crew = FakeCrew(behaves)
    with Pool(crew, 2, said.append) as pool:
        assert sorted(_seeds(pool.run(tasks, _same))) == list(range(8))
    assert said == ["a worker on this machine lacks the model 'lora'; others get its work"]
    assert sum(worker == 0 and seed % 2 for worker, seed in crew.given) <= IN_HAND
    said_all = r"^--workers: a worker on this machine lacks the model 'lora'$"
    with Pool(FakeCrew(behaves), 1) as pool, pytest.raises(StudioError, match=said_all):
        list(pool.run(tasks, _same))


def test_one_that_does_not_move_is_lost_from_the_job_on_not_from_the_pool() -> None:
    clock, said = Clock(), []
    hangs = [True]

    def behaves(worker: int, one: Job) -> Made | None:
        if one.preset.sampler.seed == 1 and hangs:
            clock.now += 3
            return None if clock.now < 1e6 + 20 else hangs.clear()
        return made(one)

    crew = FakeCrew(behaves)
    with Pool(crew, 1, said.append, patience=10, clock=clock) as pool:
        _seeds(pool.run([job(0)], _same))
        clock.now = 1e6  # nobody has asked for a long while: no reason to lose anybody
        assert _seeds(pool.run([job(0)], _same)) == [0] and not said
        hanging = pool.run([job(0), job(1)], _same)
        assert sorted(_seeds(hanging)) == [0, 1]
    assert crew.dismissed and "no step after 10 s" in said[0]


def test_one_that_moves_is_not_lost_and_one_that_never_starts_is() -> None:
    clock = Clock()
    steps = [0]

    def behaves(worker: int, one: Job) -> Made | None:
        clock.now += 6
        steps[0] += 1
        if steps[0] > 20:
            return made(one)
        crew.reports.append(Moved(worker))
        return None

    crew = FakeCrew(behaves)
    with Pool(crew, 1, patience=10, clock=clock) as pool:
        assert _seeds(pool.run([job(0)], _same)) == [0] and not crew.dismissed
    slow = FakeCrew(starts=lambda worker: None)
    wait = slow.wait
    slow.wait = lambda seconds: (setattr(clock, "now", clock.now + START_SECONDS + 1), wait(0))[1]
    with Pool(slow, 1, clock=clock) as pool, pytest.raises(StudioError, match="not there after"):
        list(pool.run([job(0)], _same))


def test_closing_cancels_what_is_under_way_and_keeps_the_workers() -> None:
    crew = FakeCrew()
    with Pool(crew, 2) as pool:
        run = pool.run([job(n) for n in range(20)], _same)
        next(run)
        run.close()
        assert set(crew.cancelled) == {0, 1}
        assert sorted(_seeds(pool.run([job(n) for n in range(5)], _same))) == list(range(5))
        assert crew.hired == [0, 1]  # what was cancelled is no picture of the next run


def test_work_goes_where_its_networks_are() -> None:
    """Two models in turns, two workers: each is loaded by one worker only."""
    tasks = [job(n, "base", f"model-{n % 2}") for n in range(20)]
    crew = FakeCrew()
    with Pool(crew, 2) as pool:
        assert sorted(_seeds(pool.run(tasks, _same))) == list(range(20))
    loaded = {(worker, seed % 2) for worker, seed in crew.given}
    assert len(loaded) <= 3  # the last pictures go to whoever has nothing else to do
    first = {(worker, seed % 2) for worker, seed in crew.given[:12]}
    assert len(first) == 2
