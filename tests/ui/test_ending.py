"""The page's program ends while pictures are made: none is torn off inside a network."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("gradio")
from gradio_client import Client

from studio.preset import validate
from studio.train import runner
from studio.train.runner import Runner
from studio.train.turns import Turns
from studio.ui.runs import Runs
from studio.ui.serve import end_work
from studio.ui.space import Limits
from tests.support import REPOSITORY
from tests.support.fake_trainer import FakeTrainer, config
from tests.support.held_engine import HeldEngine
from tests.support.studio_page import free_port, needs_starter, wait_until_served
from tests.support.waiting import until

ROWS = {"rows": [{"prompt": "a cat"}]}
LONG = {**ROWS, "sampler": {"steps": 150, "count": 4}}
HEARD = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "


def test_a_line_that_is_closed_ends_what_goes_on_and_begins_no_more(studio_home: Path) -> None:
    engine = HeldEngine()
    runs = Runs(engine, Limits())
    session = runs.session("a")
    first, second = (runs.submit(session, validate(ROWS)) for _ in range(2))
    until(lambda: first.state == "running")
    engine.release()  # by which it comes to the next event
    runs.close()
    assert engine.closed == 1 and first.cancelled
    assert first.state == "running"  # nobody has pressed Cancel: its page hears of a start anew
    assert runs.groups(session) == [[second]]  # and of how many waited
    runs.submit(session, validate(ROWS))
    assert len(engine.started) == 1 and second.state == "waiting"


def test_a_training_is_paused_with_the_end_of_the_page(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Runner(FakeTrainer(pause=0.02), Turns())
    monkeypatch.setattr(runner, "RUNNER", own)
    own.start(config(steps=5000))
    until(lambda: own.state.step > 0)
    end_work()
    assert own.state.status == "paused"


@needs_starter
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_program_that_is_interrupted_in_mid_run_ends_by_itself(
    tmp_path: Path, sent: signal.Signals
) -> None:
    port = free_port()
    code = HEARD + "runpy.run_path('app.py', run_name='__main__')"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--port", str(port)],
        cwd=REPOSITORY,
        env={**os.environ, "STUDIO_HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_served(address, process, 120)
        job = Client(address, verbose=False).submit(preset=LONG, api_name="/generate_preset")
        until(lambda: any("step" in event for event in job.outputs()))
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "terminate" not in said and "Traceback" not in said
