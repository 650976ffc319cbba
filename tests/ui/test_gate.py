"""The gate before the page: names, origins, headers, and how often a visitor may ask."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.ui.gate import Doors, Gate, policy
from studio.ui.visitors import AT_ONCE, PATIENCE_SECONDS, PER_SECOND, Visitors
from tests.support.loops import run_apart


async def page(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind the gate."""
    del scope, receive
    headers = [(b"content-type", b"text/html"), (b"referrer-policy", b"origin")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"page"})


def asked(
    doors: Doors,
    method: str = "GET",
    path: str = "/",
    visitors: Visitors | None = None,
    **given: str,
) -> tuple[int, dict[str, str], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": headers,
        "client": ("1.2.3.4", 5),
    }
    run_apart(Gate(page, doors, visitors or Visitors())(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, sent[1]["body"]


@pytest.mark.parametrize(
    "host, wide, status",
    [
        ("127.0.0.1:7860", False, 200),
        ("localhost", False, 200),
        ("LOCALHOST:7860", False, 200),
        ("[::1]:7860", False, 200),
        ("studio.lan:7860", False, 200),
        ("evil.example:7860", False, 403),
        ("127.0.0.1.evil.example", False, 403),
        ("localhost.evil.example:7860", False, 403),
        ("", False, 403),
        ("192.168.1.5:7860", False, 403),
        ("192.168.1.5:7860", True, 200),  # bound to every address: a number is no name to rebind
        ("[fe80::1]:7860", True, 200),
        ("evil.example", True, 403),
    ],
)
def test_only_under_its_own_names(host: str, wide: bool, status: int) -> None:
    doors = Doors.of("0.0.0.0" if wide else "127.0.0.1", ["Studio.lan"])
    given, _, body = asked(doors, host=host)
    assert given == status
    if status == 403 and host:
        assert "--allow-host" in json.loads(body)["detail"]
    assert asked(Doors(shared=True), host=host)[0] == 200


@pytest.mark.parametrize(
    "origin, status",
    [
        ("http://localhost:7860", 200),
        ("http://localhost:3000", 403),
        ("http://127.0.0.1:7860", 403),  # another page, as far as a browser knows
        ("https://studio.lan", 200),
        ("http://evil.example", 403),
        ("http://evil.example:7860", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS", "DELETE"])
def test_no_other_page_may_ask(origin: str, status: int, method: str) -> None:
    doors = Doors.of("127.0.0.1", ["studio.lan"])
    assert asked(doors, method, host="localhost:7860", origin=origin)[0] == status


def test_what_browsers_are_told() -> None:
    _, headers, _ = asked(Doors(), host="localhost")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "origin", "what the page says itself stays"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "https:" not in policy(shared=False)
    assert "frame-ancestors https://huggingface.co " in policy(shared=True)


def test_health_needs_no_name() -> None:
    status, _, body = asked(Doors(), path="/healthz", host="10.0.0.7")
    assert (status, json.loads(body)) == (200, {"status": "ok"})


def test_a_visitor_who_asks_too_often_waits() -> None:
    now = [0.0]
    visitors = Visitors(lambda: now[0])
    shared = Doors(shared=True)

    def post(address: str) -> int:
        return asked(shared, "POST", visitors=visitors, host="x", x_forwarded_for=address)[0]

    answers = [post("9.9.9.9, 10.0.0.1") for _ in range(int(AT_ONCE) + 5)]
    assert answers == [200] * int(AT_ONCE) + [429] * 5
    assert post("8.8.8.8") == 200, "another visitor is not held up"
    assert asked(shared, visitors=visitors, host="x", x_forwarded_for="9.9.9.9")[0] == 200
    now[0] += 2 / PER_SECOND
    assert [post("9.9.9.9") for _ in range(3)] == [200, 200, 429]


def test_a_visitor_sends_only_so_many_bytes() -> None:
    now = [0.0]
    visitors, shared = Visitors(lambda: now[0]), Doors(shared=True)

    def post(address: str, **more: str) -> int:
        return asked(shared, "POST", visitors=visitors, host="x", x_forwarded_for=address, **more)[
            0
        ]

    sixty = {"content_length": str(60 * 2**20)}
    assert [post("9.9.9.9", **sixty) for _ in range(5)] == [200] * 4 + [413]
    assert post("8.8.8.8", **sixty) == 200, "another visitor is not held up"
    assert post("9.9.9.9", content_length="1000") == 200, "a press is no upload"
    assert post("7.7.7.7", content_length="9" * 30, transfer_encoding="chunked") == 200
    now[0] += 60.0
    assert post("9.9.9.9", **sixty) == 200


def test_who_listens_and_who_has_gone() -> None:
    now = [100.0]
    visitors = Visitors(lambda: now[0])
    begun = visitors.now()
    assert not visitors.gone("a", begun)
    now[0] += PATIENCE_SECONDS + 1
    assert visitors.gone("a", begun)
    with visitors.listens("a"):
        assert not visitors.gone("a", begun)
    now[0] += PATIENCE_SECONDS - 1
    assert not visitors.gone("a", begun), "a reload is not gone"
    now[0] += 2
    assert visitors.gone("a", begun)
