"""The endpoints for programs, and the examples of docs/api.md as they stand on the page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.support import REPOSITORY
from tests.support.launched_page import launched

PAGE = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
PRESET = {"rows": [{"prompt": "a cat", "weight": 5.0}], "sampler": {"seed": 3, "count": 2}}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with launched(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def test_the_python_example_runs_as_it_stands(address: str, tmp_path: Path) -> None:
    code = example("python").replace("http://127.0.0.1:7860", address)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ε̂ = ") and "done" in done.stdout
    known, found, copied, _ = done.stdout.splitlines()[-4:]
    assert known == "True" and found.startswith("1 ") and found.endswith(".png")
    assert Path(copied).read_bytes() == (tmp_path / "fox.png").read_bytes()
    assert done.stdout.splitlines()[-1] == "a fox in flat style on a green background 3"
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")


def test_the_shell_example_runs_as_it_stands(address: str) -> None:
    done = subprocess.run(
        ["bash", "-ec", example("bash")],
        env={**os.environ, "ADDRESS": address, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "event: complete" in done.stdout, done.stderr
    data = done.stdout.rpartition("data: ")[2]
    assert json.loads(data)[0]["forwards"] == 50


def test_pictures_come_one_by_one_with_their_seeds(client: Client) -> None:
    *progress, last = list(client.submit(preset=PRESET, api_name="/generate_preset"))
    assert last["state"] == "done" and len(last["images"]) == 2 and last["forwards"] == 6
    assert all(event["state"] in ("waiting", "running") for event in progress)
    seeds = [
        client.predict(image=image, api_name="/inspect")["preset"]["sampler"]["seed"]
        for image in last["images"]
    ]
    assert seeds == [3, 4]
    found: Any = client.predict(text="cat", api_name="/history")
    assert found["total"] >= 2 and {"seed", "prompts"} <= set(found["pictures"][0])


def test_the_library_is_listed(client: Client) -> None:
    kinds = {entry["id"]: entry["kind"] for entry in client.predict(api_name="/models")}
    assert kinds["starter"] == "base"


@pytest.mark.parametrize(
    ("endpoint", "given", "message"),
    [
        ("/plan", {"preset": {"omega": 2}}, "omega"),
        ("/plan", {"preset": {"rows": [{"prompt": "x"}] * 4}}, "rows: at most 3"),
        ("/generate_preset", {"preset": {"rows": [{"model": "nowhere"}]}}, "nowhere"),
        ("/inspect", {"image": "/etc/passwd"}, "image: a data URI"),
        ("/inspect", {"image": "data:image/png;base64,AAAA"}, "image"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_field(
    client: Client, endpoint: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(AppError, match=message) as caught:
        client.predict(**given, api_name=endpoint)
    assert "\n" not in str(caught.value) and "Traceback" not in str(caught.value)


def test_the_page_names_every_endpoint(client: Client) -> None:
    named = set(client.view_api(return_format="dict")["named_endpoints"])
    listed = set(re.findall(r"^\| `(/[a-z_]+)`", PAGE, re.MULTILINE))
    assert listed <= named and len(listed) == 6
