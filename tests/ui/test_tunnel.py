"""``--share``: a shared page behind a tunnel, here one that is a socket of the test's."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

import app
from studio.__main__ import main
from studio.ui import page, space, tunnel
from studio.ui.gate import Doors
from tests.support.fake_engine import FakeEngine
from tests.support.studio_page import free_port


def test_the_line_says_the_address_or_why_there_is_none() -> None:
    asked: list[Any] = []

    def opens(*given: Any) -> str:
        asked.append(given)
        return "http://abc.gradio.live"

    assert tunnel.opened("0.0.0.0", 7860, opens).startswith("Shared on https://abc.gradio.live ")
    tunnel.opened("0.0.0.0", 7860, opens)
    assert asked[0][:2] == ("127.0.0.1", 7860) and asked[0][2] != asked[1][2]

    def fails(*_: Any) -> str:
        raise RuntimeError("Could not get share link\nfrom Gradio API Server.")

    assert tunnel.opened("127.0.0.1", 7861, fails) == (
        "--share: there is no tunnel (Could not get share link from Gradio API Server); "
        "the page goes on at http://127.0.0.1:7861"
    )


def test_what_comes_through_it_is_a_visitor_of_a_shared_page(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Any] = []
    seen: dict[str, Any] = {}
    build = page.build

    def built(limits: space.Limits, **_: Any) -> Any:
        made.append((limits, build(limits, FakeEngine())))
        return made[0][1]

    def visit(address: str, port: int, *_: Any) -> str:
        """A visitor behind the tunnel, who names its host."""
        asked = urllib.request.Request(
            f"http://{address}:{port}/config", headers={"Host": "abc.gradio.live"}
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            seen.update(json.loads(answer.read()))
        made[0][1].is_running = False  # the person ends it
        return "http://abc.gradio.live"

    monkeypatch.setattr(page, "build", built)
    monkeypatch.setattr("gradio.networking.setup_tunnel", visit)
    for what in ("signal.signal", "studio.ui.host.begin_beside", "studio.logs.start"):
        monkeypatch.setattr(what, lambda *_, **__: None)
    monkeypatch.setattr("studio.heap.share_heaps", lambda: None)
    monkeypatch.setattr(space, "prepare", lambda shared: space.SPACE if shared else space.Limits())
    for name, value in {"HF_HUB_OFFLINE": "1", "STUDIO_MODELS": "", "SPACE_ID": ""}.items():
        monkeypatch.setenv(name, value)  # the page sets them for its process
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    assert main(["page", "--share", "--port", str(free_port())]) == 0
    made[0][1].close()
    limits = made[0][0]
    assert limits.shared and not limits.local
    buttons = {one["props"].get("elem_id"): one["props"] for one in seen["components"]}
    assert buttons["gs-save"]["visible"] is False and buttons["gs-forever"]["visible"] is False
    assert "Shared on https://abc.gradio.live" in capsys.readouterr().out


def test_a_space_is_shared_already(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/studio")
    assert main(["page", "--share"]) == 2
    assert "--share: a Space has an address for everybody already" in capsys.readouterr().err
    assert app.flags(["--share"]).share and not app.flags([]).share
    assert Doors.of("127.0.0.1", (), True).opens_to("abc.gradio.live")


@pytest.mark.parametrize("shared", ["--share", "--space", "SPACE_ID"])
def test_a_shared_page_serves_no_tools(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shared: str
) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/studio" if shared == "SPACE_ID" else "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    flags = [shared] if shared.startswith("--") else []
    assert main(["page", "--mcp", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("--mcp: a shared page serves no tools")
