"""A server that is busy starts, and a client that listens gets its whole run, however long that takes."""

from __future__ import annotations

import json
import urllib.request

import pytest

pytest.importorskip("gradio")

from studio.ui import visitors
from studio.ui.gate import Doors
from studio.ui.page import STATES, build, launch_options
from studio.ui.space import SPACE
from tests.support.fake_engine import ROWS, FakeEngine, values

pytestmark = pytest.mark.usefixtures("studio_home")


def test_it_is_heard_through_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "PATIENCE_SECONDS", 60)
    engine = FakeEngine(pause=0.3, steps=8)
    page = build(SPACE, engine)
    _, address, _ = page.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, **launch_options(Doors(shared=True))
    )
    try:
        assert page.app.state_holder.capacity == STATES  # what it keeps of each visitor is large
        info = json.loads(urllib.request.urlopen(f"{address}gradio_api/info", timeout=60).read())
        shown = {**values(), "rows": ROWS}
        names = [p["parameter_name"] for p in info["named_endpoints"]["/generate"]["parameters"]]
        data = [shown.get(name, "") for name in names]
        body = json.dumps({"data": data}, default=str).encode()
        request = urllib.request.Request(
            f"{address}gradio_api/call/generate", body, {"Content-Type": "application/json"}
        )
        event = json.loads(urllib.request.urlopen(request, timeout=60).read())["event_id"]
        answer = urllib.request.urlopen(f"{address}gradio_api/call/generate/{event}", timeout=90)
        monkeypatch.setattr(visitors, "PATIENCE_SECONDS", 0.5)  # it listens from now on
        told = answer.read().decode()
        assert "event: complete" in told
        assert 'data-state=\\"done\\"' in told.rpartition("event:")[2], "it was left in the middle"
    finally:
        page.close()


def test_a_server_that_answers_late_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio looks at its own page and gives up after three seconds, and the start with it."""
    monkeypatch.setattr("gradio.networking.url_ok", lambda url: False)
    page = build(SPACE, FakeEngine())
    _, address, _ = page.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, **launch_options()
    )
    try:
        assert urllib.request.urlopen(address, timeout=60).status == 200
    finally:
        page.close()
