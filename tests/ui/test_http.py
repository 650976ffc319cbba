"""What a client without a browser can send, and what happens when it goes away."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.home import PRESETS
from studio.ui.editor import stack
from studio.ui.gate import Doors
from studio.ui.page import build, launch_options
from tests.support.fake_engine import ROWS, FakeEngine, values
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))


@pytest.fixture
def served() -> Iterator[tuple[str, Any, FakeEngine]]:
    engine = FakeEngine()
    page = build(events=engine)
    _, address, _ = page.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, **launch_options()
    )
    yield address.rstrip("/"), page, engine
    page.close()


def post(address: str, path: str, body: Any) -> Any:
    request = urllib.request.Request(
        address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def generated(address: str, shown: list[Any]) -> str:
    event = post(address, "/gradio_api/call/generate", {"data": shown})["event_id"]
    with urllib.request.urlopen(
        f"{address}/gradio_api/call/generate/{event}", timeout=60
    ) as answer:
        return answer.read().decode()


def test_over_http(served: tuple[str, Any, FakeEngine]) -> None:
    address, page, engine = served
    info = json.loads(urllib.request.urlopen(f"{address}/gradio_api/info", timeout=60).read())
    assert "/generate" in info["named_endpoints"]
    parameters = info["named_endpoints"]["/generate"]["parameters"]
    names = [parameter["parameter_name"] for parameter in parameters]
    assert {"session", "rows", "omega", "steps", "seed", "init"} <= set(names)
    assert not [name for name in names if name.startswith("param_")]
    given = {**values(), "session": "", "rows": ROWS}
    shown = [given[name] for name in names]
    assert "event: complete" in generated(address, shown)
    assert engine.seen[-1].rows[1].weight == -1.5
    for image in (
        {"path": "/etc/passwd"},
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    ):
        rows = [{"prompt": "x", "control": {"type": "canny", "image": image}}]
        shown[names.index("rows")] = rows
        assert "event: error" in generated(address, shown)
    component = next(
        key for key, block in page.blocks.items() if isinstance(block, stack.GuidanceStack)
    )
    answer = post(
        address,
        "/gradio_api/component_server",
        {
            "data": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
            "component_id": component,
            "fn_name": "store_image",
            "session_hash": "x",
        },
    )
    assert "not a file uploaded" in answer["error"]
    for path in ("/etc/passwd", str(Path(__file__).resolve())):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"{address}/gradio_api/file={path}", timeout=60)


def test_a_closed_tab_closes_the_engine() -> None:
    engine = FakeEngine(pause=0.2, steps=500)
    page = build(events=engine)
    _, address, _ = page.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, **launch_options()
    )
    try:
        shown = ["", *({**values(), "rows": ROWS}.values())]
        index = next(k for k, fn in page.fns.items() if fn.api_name == "generate")
        join = {"data": shown, "fn_index": index, "session_hash": "a-tab"}
        post(address.rstrip("/"), "/gradio_api/queue/join", join)
        tab = urllib.request.urlopen(
            f"{address}gradio_api/queue/data?session_hash=a-tab", timeout=60
        )
        while b"process_generating" not in tab.readline():
            pass
        until(lambda: engine.seen)  # it has begun, so that there is something to close
        tab.close()
        until(lambda: engine.closed)
        assert engine.closed == 1
    finally:
        page.close()


def test_pictures_are_shown_from_a_home_that_lies_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a home does by default: outside of the working directory and of the temporary folder."""
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    for name in ("elsewhere", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    page = build(events=FakeEngine())
    _, address, _ = page.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, **launch_options()
    )
    try:
        answer = generated(address.rstrip("/"), ["", *({**values(), "rows": ROWS}.values())])
        assert "event: complete" in answer and "event: error" not in answer
        (made,) = (tmp_path / "home" / "outputs").glob("*.png")
        assert made.name in answer
    finally:
        page.close()


@pytest.mark.parametrize("shared", [False, True])
def test_a_shared_page_opens_no_folder_of_its_host(tmp_path: Path, shared: bool) -> None:
    folders = launch_options(Doors(shared=shared))["allowed_paths"]
    own = [folder for folder in folders if Path(folder).is_relative_to(tmp_path)]
    assert len(own) == (0 if shared else 5) and str(PRESETS) in folders
    assert str(tmp_path / "home") not in folders  # settings and models are none of it
