"""The page behind a proxy, under a path: its files, its events, uploads and components of its own."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("gradio")
from gradio_client import Client
from PIL import Image

from studio.ui.gate import Doors
from studio.ui.installable import SIZES
from studio.ui.page import build, launch_options
from studio.ui.space import Limits
from tests.support.fake_engine import FakeEngine
from tests.support.proxies import PATH, PROXIES
from tests.support.studio_page import needs_starter

PRESET = {"rows": [{"prompt": "a cat", "weight": 5.0}], "sampler": {"seed": 3, "count": 2}}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDIO_HOME", str(tmp_path_factory.mktemp("home")))
        page = build(Limits(local=False), FakeEngine())
        page.launch(
            server_name="127.0.0.1",
            prevent_thread_lock=True,
            root_path=PATH,
            **launch_options(Doors.of("127.0.0.1")),
        )
        yield page.server_port
        page.close()


@pytest.fixture(scope="module", params=list(PROXIES))
def place(
    request: pytest.FixtureRequest, upstream: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The page's address at the proxy."""
    with PROXIES[request.param](upstream, tmp_path_factory.mktemp("proxy")) as port:
        yield f"http://127.0.0.1:{port}{PATH}/"


def config_of(place: str) -> dict[str, Any]:
    return json.loads(
        re.findall(r"window.gradio_config = (\{.*?\});?</script>", httpx.get(place).text)[0]
    )


def test_the_page_knows_where_it_is(place: str) -> None:
    assert config_of(place)["root"] == place.rstrip("/")
    answer = httpx.get(place)
    (script,) = re.findall(r'src="(\./assets/index-[^"]+)"', answer.text)
    assert httpx.get(httpx.URL(place).join(script)).status_code == 200


def test_it_can_be_installed_from_there(place: str) -> None:
    named = httpx.URL(place).join("studio.webmanifest")
    manifest = httpx.get(named).json()
    assert named.join(manifest["start_url"]) == place and manifest["display"] == "standalone"
    for icon, edge in zip(manifest["icons"], SIZES, strict=True):
        answer = httpx.get(named.join(icon["src"]))
        assert Image.open(io.BytesIO(answer.content)).size == (edge, edge)
        assert answer.headers["content-type"] == icon["type"] == "image/png"


def test_the_page_of_the_api_is_there_and_finds_what_it_asks_for(place: str) -> None:
    named = httpx.URL(place).join("studio-api.html")
    text = httpx.get(named).text
    for address in re.findall(r'(?:href|src)="([^"]+)"|fetch\("([^"]+)"\)', text):
        assert httpx.get(named.join("".join(address))).status_code == 200, address


@needs_starter
def test_a_program_makes_pictures_through_it(place: str) -> None:
    client = Client(place, verbose=False)
    assert client.predict(preset=PRESET, api_name="/plan")["forwards"] > 0
    events = list(client.submit(preset=PRESET, api_name="/generate_preset"))
    assert [event["state"] for event in events][-1] == "done" and len(events) > 1
    (first, _second) = events[-1]["images"]
    assert Image.open(io.BytesIO(base64.b64decode(first.partition(",")[2]))).size == (32, 32)


def test_uploads_and_functions_of_components_come_through(place: str, tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(picture, "PNG")
    api = httpx.URL(place).join("gradio_api/")
    sent = httpx.post(api.join("upload"), files={"files": ("red.png", picture.getvalue())})
    (path,) = sent.json()
    config = config_of(place)
    stack = next(c for c in config["components"] if c["props"].get("elem_id") == "gs-stack")
    asked = {
        "data": {"path": path, "meta": {"_type": "gradio.FileData"}},
        "component_id": stack["id"],
        "fn_name": "store_image",
        "session_hash": "proxied",
    }
    kept = httpx.post(api.join("component_server"), json=asked)
    assert kept.status_code == 200, kept.text
    assert kept.json()["image"].startswith("inputs/")
    file = httpx.get(httpx.URL(place).join(f"gradio_api/file={path}"))
    assert file.content == picture.getvalue()


def test_a_page_elsewhere_sends_nothing_through_it(place: str) -> None:
    api = httpx.URL(place).join("gradio_api/queue/join")
    sent: dict[str, Any] = {"json": {}, "headers": {"origin": "https://elsewhere.example"}}
    # The studio answers before it has read what is sent: a proxy may cut what follows the status.
    with httpx.stream("POST", api, timeout=60, **sent) as answer:
        assert answer.status_code == 403
