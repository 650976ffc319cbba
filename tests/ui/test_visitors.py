"""The queue of a shared page: one visitor cannot fill it, and a client that never listens is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.events import Event, Progress
from studio.preset import Preset
from studio.ui import run as running
from studio.ui.runs import Runs
from studio.ui.space import SPACE
from studio.ui.visitors import PATIENCE_SECONDS, Visitors
from studio.ui.wiring.works import _submit
from studio.ui.works.asked import Labelled
from tests.support.fake_engine import values

pytestmark = pytest.mark.usefixtures("studio_home")
STEPS = 10_000  # a minute's: nobody is as late as that


def test_a_visitor_has_only_so_many_in_the_queue() -> None:
    goes_on = threading.Event()

    def stream(preset: Preset) -> Iterator[Event]:
        goes_on.wait(60)
        yield from ()

    runs = Runs(stream, SPACE)
    runs.submit(runs.session("one"), Preset(), visitor="1.1.1.1")
    while not any(run.state == "running" for run in runs.session("one").runs):
        runs.wait(runs.session("one"), -1, 0.05)
    for number in range(SPACE.waiting):  # a session each: those are free to make up
        assert runs.room_of(runs.session("more"), "1.1.1.1") == SPACE.waiting - number
        runs.submit(runs.session(f"s{number}"), Preset(), visitor="1.1.1.1")
    assert runs.room_of(runs.session("more"), "1.1.1.1") == 0
    with pytest.raises(StudioError, match="3 runs from your address are waiting already"):
        runs.submit(runs.session("more"), Preset(), visitor="1.1.1.1")
    series = [Labelled(Preset(), f"{number}") for number in range(SPACE.waiting + 1)]
    with pytest.raises(StudioError, match="queue: 4 runs are asked for, and 3 more may wait"):
        _submit(runs, SPACE, runs.session("other"), series, "2.2.2.2")  # all of a series or none
    assert not runs.session("other").active()
    runs.submit(runs.session("other"), Preset(), visitor="2.2.2.2")
    goes_on.set()


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    now, made = [0.0], []
    visitors = Visitors(lambda: now[0])
    monkeypatch.setattr(running, "VISITORS", visitors)

    def stream(preset: Preset) -> Iterator[Event]:
        for step in range(1, STEPS + 1):
            made.append(step)
            now[0] += 1.0
            time.sleep(0.005)
            yield Progress(step, STEPS, 1.0, 1.0, 1)

    runs = Runs(stream, SPACE)
    request: Any = SimpleNamespace(
        session_hash="deaf", client=SimpleNamespace(host="1.1.1.1"), headers={}
    )
    form = values()
    updates = list(running.handler(runs, SPACE)(request, "", **form))
    assert updates and len(made) < STEPS, "its whole run was made for nobody"
    assert now[0] > PATIENCE_SECONDS
