"""Bodies that nothing behind them could hold, or that would hold up everybody."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx
import pytest

pytest.importorskip("gradio")

from studio.errors import StudioError
from studio.ui.webui import body
from studio.ui.webui.values import picture, whole
from tests.support.fake_engine import FakeEngine
from tests.support.webui import client_of


@pytest.mark.parametrize(
    "data",
    [
        b'{"cfg_scale": NaN}',
        b'{"unheard_of": NaN}',
        b'{"seed": Infinity}',
        b'{"width": -Infinity}',
        b'{"steps": 1e400}',
        b'{"prompt": "\\ud800"}',
        b'{"x\\ud800": 1}',
        b'{"prompt": "\xed\xa0\x80"}',
        b'{"seed": ' + b"9" * 5000 + b"}",
        b"[" * 5000,
        b"[" + b"[1]," * 60_000 + b"1]",
        b"3",
    ],
    ids=lambda data: data[:24].decode("latin-1"),
)
def test_a_body_that_cannot_be_is_refused_before_anything_is_made(data: bytes) -> None:
    engine = FakeEngine()
    with client_of(engine) as client:
        answer = client.post("/sdapi/v1/txt2img", content=data)
    assert answer.status_code == 422 and not engine.seen
    assert answer.json()["detail"].startswith("body: ")


def test_what_can_be_is_read() -> None:
    assert body.read(b" ") == {}
    assert body.read(b'\xef\xbb\xbf{"a": 1.5}') == {"a": 1.5}
    assert body.read(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_a_body_is_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def slow(_: bytes) -> dict[str, object]:
        seen.append(threading.get_ident())
        time.sleep(0.5)
        return {}

    monkeypatch.setattr(body, "read", slow)

    async def asked() -> float:
        transport = httpx.ASGITransport(app=client_of(FakeEngine()).app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            began = time.monotonic()
            other = asyncio.create_task(client.post("/sdapi/v1/options", content=b"{}"))
            await asyncio.sleep(0.05)
            assert (await client.get("/healthz")).text == "the page"
            taken = time.monotonic() - began
            await other
        return taken

    assert asyncio.run(asked()) < 0.4
    assert seen and seen[0] != threading.get_ident()


def test_base64_is_taken_with_broken_lines_and_without_its_padding() -> None:
    for written in ("QUJDRA==", "QUJDRA", "QUJ\nDRA==", "data:image/png;base64,QUJDRA"):
        assert picture(written, "image") == b"ABCD"
    for wrong in (3, "", "?", None, {}):
        with pytest.raises(StudioError, match="base64"):
            picture(wrong, "image")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "1.5", [], True])
def test_what_is_no_whole_number_is_none(value: object) -> None:
    with pytest.raises(StudioError, match="whole number"):
        whole({"n": value}, "n", 0)
