"""Workers that are actors of a real Ray cluster: two nodes on this machine, one of which is lost."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.errors import StudioError
from studio.workers import rays
from studio.workers.choice import Choice, open_pool
from tests.support import REPOSITORY

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray")


@pytest.mark.ray
@pytest.mark.skipif(
    not os.environ.get("STUDIO_REQUIRE_RAY"), reason="STUDIO_REQUIRE_RAY is not set"
)
@pytest.mark.timeout(900)  # a cluster starts a dozen processes
def test_a_run_survives_the_loss_of_an_actor_and_of_a_node(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.ray_scenes", str(tmp_path)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    scenes: dict[str, Any] = {line["scene"]: line for line in lines if "scene" in line}
    for name, pictures in (("killed", 10), ("died", 6), ("node", 10)):
        found = scenes[name]
        assert sorted(found["found"]) == list(range(pictures)) and not found["error"], found
        assert found["said"] and all("is lost" in line for line in found["said"])
    assert scenes["cancelled"]["found"] == [7] and scenes["cancelled"]["same"]
    steps = scenes["watched"]["steps"]
    assert 0 < steps[0] < steps[1] < steps[2] and scenes["watched"]["found"] == [7]
    for name, words in (("fails", "that is no more"), ("raises", "of somebody else")):
        assert not scenes[name]["found"]
        assert scenes[name]["error"].startswith("--workers: ")
        assert words in scenes[name]["error"] and "\n" not in scenes[name]["error"]


@needs_ray
def test_a_cluster_that_is_not_there_is_one_line() -> None:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StudioError) as caught:
            open_pool(Choice(ray=True, address=address))
    assert str(caught.value).startswith(f"--workers: no Ray cluster can be reached at {address} (")


def test_without_ray_the_command_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rays.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StudioError, match=r"--workers: ray needs a package: pip install 'ray>=2"):
        open_pool(Choice(ray=True))
