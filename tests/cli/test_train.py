"""Training from the command line: one JSON line, one line for a mistake, several processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.__main__ import main
from studio.home import training_folder
from studio.library import Library
from tests.support import REPOSITORY, train_tiny
from tests.support.studio_page import free_port


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


def personalize(folder: Path, *more: str, name: str = "mine", steps: int = 2) -> list[str]:
    return [
        "train",
        "personalize",
        "--images",
        str(folder),
        "--base",
        "tiny",
        "--name",
        name,
        "--method",
        "lora",
        "--word",
        "<hero>",
        "--superclass",
        "ghost",
        "--steps",
        str(steps),
        "--captions",
        str(folder / "captions.json"),
        "--device",
        "cpu",
        *more,
    ]


def test_personalize_prints_the_new_models_id(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(personalize(folder, "--ddloss", "0.2", "--batch", "2")) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["id"] == "mine" and len(out.splitlines()) == 1
    assert "step 2/2" in err
    assert Library()["mine"].kind == "lora"


def test_concept_trains_from_pictures_alone(folder: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = [
        "train",
        "concept",
        "--images",
        str(folder),
        "--base",
        "tiny",
        "--name",
        "ghosts",
        "--steps",
        "1",
        "--batch",
        "2",
        "--null-text",
        "calibrated",
        "--device",
        "cpu",
    ]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "ghosts"
    assert Library()["ghosts"].kind == "concept"


@pytest.mark.parametrize(
    "more, message",
    [
        (["--rank", "0"], "rank: "),
        (["--images", "/nowhere"], "images: /nowhere cannot be read"),
        (["--pdloss", "0.1", "--superclass", ""], "superclass: needs"),
        (["--resume"], "resume: there is no checkpoint"),
    ],
)
def test_a_mistake_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture, more: list[str], message: str
) -> None:
    assert main(personalize(folder, *more)) == 2
    out, err = capsys.readouterr()
    lines = [
        line for line in err.splitlines() if not line.startswith(("note:", "loading", "encod"))
    ]
    assert out == "" and lines[-1].startswith(message)
    assert "Traceback" not in err


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "STUDIO_HOME": str(home),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(REPOSITORY),
        "GLOO_SOCKET_IFNAME": "lo",
    }


@pytest.mark.timeout(300)  # four interpreters, each importing everything
def test_two_processes_are_one_with_twice_the_batch(
    folder: Path, studio_home: Path, capsys: pytest.CaptureFixture
) -> None:
    port = free_port()
    # What accelerate's and torch's launchers set, without an interpreter of their own.
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    arguments = personalize(folder, "--batch", "2", "--ddloss", "0.5", name="two", steps=3)
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "studio", *arguments],
            env=environment(studio_home) | group | {"RANK": rank, "LOCAL_RANK": rank},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    try:
        (out, err), (other, more) = (process.communicate(timeout=280) for process in both)
    finally:
        for process in both:
            process.kill()
    assert [process.returncode for process in both] == [0, 0], (err + more)[-2000:]
    assert json.loads(out.splitlines()[-1])["id"] == "two"  # after what the backend says
    assert '"id"' not in other
    assert main(personalize(folder, "--batch", "4", "--ddloss", "0.5", name="one", steps=3)) == 0
    logs = [
        [json.loads(line) for line in (training_folder(name) / "losses.jsonl").open()]
        for name in ("two", "one")
    ]
    assert len(logs[0]) == 3
    for two, one in zip(*logs, strict=True):
        for key in ("total", "mse", "dd", "denoising"):
            assert two[key] == pytest.approx(one[key], rel=1e-4), key


@pytest.mark.timeout(300)
def test_kill_dash_nine_is_survived(folder: Path, studio_home: Path) -> None:
    arguments = personalize(folder, "--checkpoint-every", "2", name="killed", steps=100_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "studio", *arguments],
        env=environment(studio_home),
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    checkpoint = training_folder("killed") / "checkpoint.pt"
    end = time.monotonic() + 200
    while not checkpoint.is_file() and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    import torch

    step = torch.load(checkpoint, weights_only=True)["step"]
    assert main(personalize(folder, "--resume", name="killed", steps=step + 1)) == 0
    assert Library()["killed"].kind == "lora"


def test_ctrl_c_ends_with_a_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.cli import train as verb
    from studio.train.events import Losses

    shown = verb._shown

    def pressing(events: Iterator[object]) -> Iterator[object]:
        for event in shown(events):  # type: ignore[arg-type]
            if isinstance(event, Losses) and event.step == 2:
                signal.raise_signal(signal.SIGINT)
            yield event

    monkeypatch.setattr(verb, "_shown", pressing)
    before = signal.getsignal(signal.SIGINT)
    assert main(personalize(folder, name="stopped", steps=1000)) == 130
    assert signal.getsignal(signal.SIGINT) is before
    import torch

    checkpoint = training_folder("stopped") / "checkpoint.pt"
    assert torch.load(checkpoint, weights_only=True)["step"] == 2
