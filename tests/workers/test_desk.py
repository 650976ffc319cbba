"""The desk: many ask one pool at once, and what becomes of one order is no other's matter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from studio.errors import StudioError
from studio.events import Done, Event, Progress
from studio.workers import processes
from studio.workers.crew import Lacking, Made, Mistake, Moved, Setup
from studio.workers.desk import Desk
from studio.workers.job import Job
from studio.workers.pool import MOST_TRIES, Pool
from studio.workers.processes import Processes
from tests.support import fake_workers
from tests.support.fake_crew import FakeCrew, job, made
from tests.support.fake_workers import asks
from tests.support.waiting import until


def _said(events: Iterator[Event | None]) -> list[object]:
    """Steps, and seeds of pictures in brackets."""
    found: list[object] = []
    for event in events:
        if isinstance(event, Progress):
            found.append(event.step)
        elif isinstance(event, Done):
            found.append([event.seed])
    return found


def _step(number: int) -> Progress:
    return Progress(number, 9, 0.0, 0.0, 1)


class Stepping(FakeCrew):
    """Each job is two steps and its picture, which is said before the answer that holds it too."""

    def __init__(self, dies: frozenset[int] = frozenset()) -> None:
        self.left, self.steps = set(dies), dict[int, int]()
        super().__init__(self._one)

    def _one(self, worker: int, one: Job) -> Made | str | None:
        seed, number = one.preset.sampler.seed, self.jobs[worker][0][0]
        step = self.steps[number] = self.steps.get(number, 0) + 1
        done = made(one).done[0]
        if step <= 2:
            self.reports.append(Moved(worker, number, _step(step)))
            return None
        if step == 3:
            self.reports.append(Moved(worker, number, done))
            return None
        if seed in self.left:
            self.left.remove(seed)
            return "ended by signal 9"
        return made(one)


def test_each_hears_of_its_own_job_and_a_picture_comes_once() -> None:
    desk = Desk(lambda: Pool(Stepping(), 2), 2)
    found: dict[int, list[object]] = {}

    def ask(seed: int) -> None:
        found[seed] = _said(desk.events(job(seed)))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert found == {seed: [1, 2, [seed]] for seed in range(6)}


def test_a_lost_workers_job_is_made_again_and_its_picture_still_comes_once() -> None:
    desk = Desk(lambda: Pool(Stepping(frozenset({7})), 1))
    assert _said(desk.events(job(7))) == [1, 2, [7], 1, 2]


def test_a_mistake_ends_its_own_order_alone() -> None:
    def behaves(worker: int, one: Job) -> Made | Mistake:
        bad = one.preset.sampler.seed == 1
        return Mistake("is out of order", "rows.0.model") if bad else made(one)

    crew = FakeCrew(behaves)
    desk = Desk(lambda: Pool(crew, 1))
    with pytest.raises(StudioError, match=r"^rows\.0\.model: is out of order$"):
        list(desk.events(job(1)))
    assert _said(desk.events(job(2))) == [[2]] and crew.hired == [0]


def test_cancelling_one_leaves_the_others_work_alone() -> None:
    """No worker has a second job in hand, which the first one's end would cancel."""
    crew = FakeCrew(lambda worker, one: None if one.preset.sampler.seed == 0 else made(one))
    desk = Desk(lambda: Pool(crew, 1))
    first = desk.events(job(0), 0.05)
    assert next(first) is None
    until(lambda: crew.given)
    second = desk.events(job(1), 0.05)
    assert next(second) is None and crew.most_in_hand == 1
    first.close()
    assert _said(second) == [[1]]
    assert crew.cancelled == [0] and [seed for _, seed in crew.given] == [0, 1]


def test_a_cluster_that_is_not_there_is_a_line_each_time_until_it_is() -> None:
    there = [False]

    def opened() -> Pool:
        if not there[0]:
            raise StudioError("no Ray cluster can be reached at a:1 (refused)", field="--workers")
        return Pool(FakeCrew(), 3)

    desk = Desk(opened)
    for _ in range(2):
        with pytest.raises(StudioError, match=r"^--workers: no Ray cluster can be reached at a:1"):
            list(desk.events(job(0)))
    assert desk.room() == 1
    there[0] = True
    assert _said(desk.events(job(4))) == [[4]] and desk.room() == 3


def test_a_connection_that_ends_in_mid_run_is_made_anew_a_few_times() -> None:
    """What had begun is made by the next pool; what ends every pool ends with a line."""
    opened: list[FakeCrew] = []

    def open_one(lives: Callable[[int], bool]) -> Pool:
        crew = FakeCrew()
        opened.append(crew)
        if not lives(len(opened)):
            crew.wait = _ends  # type: ignore[method-assign]
        return Pool(crew, 1)

    assert _said(Desk(lambda: open_one(lambda n: n == 2)).events(job(3))) == [[3]]
    assert [crew.stopped for crew in opened] == [1, 0]
    opened.clear()
    with pytest.raises(StudioError, match=r"^--workers: the connection has ended$"):
        list(Desk(lambda: open_one(lambda n: False)).events(job(3)))
    assert len(opened) == MOST_TRIES


def _ends(seconds: float) -> list[object]:
    raise StudioError("the connection has ended", field="--workers")


def test_what_no_worker_could_do_may_be_asked_for_again() -> None:
    """A model that has come meanwhile; workers that are all lost give way to new ones."""
    there = [False]

    def behaves(worker: int, one: Job) -> Made | Lacking | str:
        if one.models and not there[0]:
            return Lacking({"lora": "lacks the model 'lora'"})
        return "no memory" if one.preset.sampler.seed == 9 else made(one)

    crews: list[FakeCrew] = []

    def opened() -> Pool:
        crews.append(FakeCrew(behaves))
        return Pool(crews[-1], 2)

    desk = Desk(opened)
    with pytest.raises(StudioError, match=r"worker on this machine lacks the model 'lora'$"):
        list(desk.events(job(0, lora="x")))
    assert crews[0].hired == [0, 1]  # the other was asked too
    there[0] = True
    assert _said(desk.events(job(0, lora="x"))) == [[0]] and len(crews) == 1
    with pytest.raises(StudioError, match=r"has cost 3 workers; the last: no memory"):
        list(desk.events(job(9)))
    assert _said(desk.events(job(1))) == [[1]]


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    monkeypatch.setattr(processes, "serve", fake_workers.serve)
    with Pool(Processes(Setup()), 1) as pool:
        yield pool


def test_a_real_process_says_its_steps_as_it_does_them_and_cancels_within_one(light: Pool) -> None:
    desk = Desk(lambda: light)
    endless = desk.events(asks("steps"), 60)
    steps = [event.step for event, _ in zip(endless, range(5), strict=False) if event]
    assert steps == [1, 2, 3, 4, 5]
    began = time.monotonic()
    endless.close()
    assert _said(desk.events(asks("cat", 5))) == [[5]]  # by the same worker, once it was free
    assert time.monotonic() - began < 50 and [hand.worker for hand in light.hands] == [0]


def test_steps_of_a_job_that_nobody_watches_are_not_said(light: Pool) -> None:
    heard: list[Event] = []
    run = light.begin([asks("cat")], lambda one: one, lambda _, event: heard.append(event))
    while run.open:
        light.turn(0.1)
    assert len(run.taken()) == 1 and not heard
