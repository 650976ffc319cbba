"""Workers that are real processes, most of them without an engine: none is lost without a word, none
stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from studio.engine import Engine
from studio.errors import StudioError
from studio.events import Done
from studio.preset import Preset, validate
from studio.workers import processes
from studio.workers.choice import Choice, open_pool
from studio.workers.crew import Answered, Cancelled, Report, Setup
from studio.workers.job import Job, Packer
from studio.workers.pool import Pool
from studio.workers.processes import Processes
from tests.support import REPOSITORY, fake_workers
from tests.support.fake_crew import seed_of
from tests.support.fake_workers import asks
from tests.support.studio_page import needs_starter
from tests.support.waiting import until


def _same(job: Job) -> Job:
    return job


@pytest.fixture(autouse=True)
def _nobody_stays_behind() -> Iterator[None]:
    yield
    left = [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]
    assert not left


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "serve", fake_workers.serve)


def test_a_process_that_is_killed_takes_no_picture_with_it(light: None, tmp_path: Path) -> None:
    jobs = [asks("cat", seed) for seed in range(6)]
    jobs[2] = asks(f"die {tmp_path / 'once'}", 2)
    said: list[str] = []
    with Pool(Processes(Setup()), 2, said.append) as pool:
        found = sorted((index, seed_of(made)) for index, made in pool.run(jobs, _same))
    assert found == [(seed, seed) for seed in range(6)]
    assert said == ["a worker on this machine is lost (ended by signal 9)"]


def test_cancelling_reaches_a_worker_that_is_at_work_and_keeps_it(light: None) -> None:
    with Pool(Processes(Setup()), 1) as pool:
        run = pool.run([asks("cat", 0), asks("wait", 1)], _same)
        assert next(run)[0] == 0
        run.close()
        (worker,) = [hand.worker for hand in pool.hands]
        assert [seed_of(made) for _, made in pool.run([asks("cat", 5)], _same)] == [5]
        assert [hand.worker for hand in pool.hands] == [worker]


@pytest.mark.parametrize(
    ("device", "prompt", "reason"),
    [
        ("exits", "cat", "ended with code 3"),
        ("raises", "cat", "ValueError: a plug-in of somebody else"),
        (None, "fail", "RuntimeError: a kernel that is no more"),
    ],
)
def test_what_cannot_go_on_is_one_line(
    light: None, device: str | None, prompt: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A worker that is dead at the start, one that a plug-in breaks, one that fails at its work."""
    with Pool(Processes(Setup(device=device)), 1) as pool, pytest.raises(StudioError) as caught:
        list(pool.run([asks(prompt)], _same))
    assert str(caught.value) == f"--workers: no worker is left; the last: {reason}"
    assert not capfd.readouterr().err


def test_a_pipe_that_is_full_holds_nothing_up(light: None) -> None:
    """Jobs of megabytes for a worker that is at work are handed over, and what comes after them too."""
    crew = Processes(Setup())
    crew.hire(0)
    try:
        heard = crew.wait(60)
        preset = asks("wait").preset
        for number in range(3):
            crew.give(0, number, Job(preset, pictures={"inputs/a.png": b"0" * 2**23}))
        crew.cancel(0)
        until(lambda: heard.extend(crew.wait(0.1)) or len(_answers(heard)) == 3)
        assert [one.number for one in _answers(heard)] == [0, 1, 2]
        assert all(isinstance(one.answer, Cancelled) for one in _answers(heard))
    finally:
        crew.stop()


def _answers(heard: list[Report]) -> list[Answered]:
    return [one for one in heard if isinstance(one, Answered)]


@pytest.mark.skipif(os.name != "posix", reason="signals to a group of processes are POSIX's")
@pytest.mark.timeout(400)  # interpreters that import much
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_command(tmp_path: Path, sent: signal.Signals) -> None:
    """Ctrl-C, which every process of the terminal hears; and a command that is killed itself."""
    place = tmp_path / "pids"
    code = f"from tests.support import fake_workers as f; f.wait_for_ever({str(place)!r})"
    # Below a shell's "&" too, which has what it starts not hear Ctrl-C.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    guarded = f"if __name__ == '__main__':\n    {heard}\n    {code}\n"
    script = tmp_path / "command.py"
    script.write_text(guarded)
    command = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: place.exists() and len(place.read_text().split()) == 2, 200)
        pids = [int(pid) for pid in place.read_text().split()]
        if sent == signal.SIGINT:
            os.killpg(command.pid, sent)
        else:
            command.kill()
        _, err = command.communicate(timeout=60)
        assert err.count("Traceback") == (1 if sent == signal.SIGINT else 0), err  # its own alone
        until(lambda: not any(psutil.pid_exists(pid) for pid in pids))
    finally:
        command.kill()
        command.wait()


@needs_starter
@pytest.mark.timeout(600)  # the engine is imported in two processes beside this one
def test_pictures_are_those_of_this_process_bit_for_bit(studio_home: Path) -> None:
    """Two processes on the starter, of which one is killed in mid-run; unlike models, rows, sums."""
    presets = [_preset(number) for number in range(4)]
    engine = Engine()
    wanted = [
        np.asarray(event.image)
        for preset in presets
        for event in engine.generate(preset)
        if isinstance(event, Done)
    ]
    said: list[str] = []
    found: dict[int, np.ndarray] = {}
    threads = torch.get_num_threads()
    with open_pool(Choice(2), tell=said.append) as pool:
        for index, made in pool.run(presets, Packer()):
            if not found:
                assert isinstance(pool.crew, Processes) and pool.crew.setup.threads == threads
                busy = next(hand for hand in pool.hands if hand.tickets)
                os.kill(pool.crew._members[busy.worker].process.pid, signal.SIGTERM)
            assert index not in found and len(made.done) == 1
            found[index] = np.asarray(made.done[0].image)
            assert made.done[0].preset.sampler.seed == presets[index].sampler.seed
    assert len(said) == 1 and "signal 15" in said[0]
    for index, picture in enumerate(wanted):
        assert np.array_equal(found[index], picture), index


def _preset(number: int) -> Preset:
    rows = [{"prompt": "a cat in flat style", "weight": 3.0 + number}]
    if number % 2:
        rows.append({"model": "starter/faces", "weight": 1.5})  # type: ignore[dict-item]
    sampler = {"steps": 2, "seed": number, "scheduler": "ddim"}
    return validate({"base": "starter", "rows": rows, "sampler": sampler})
