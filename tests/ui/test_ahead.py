"""A script ahead of a document's own; nothing else is touched."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from studio.ui.ahead import Ahead
from studio.ui.page import LOOKS, SUMMARIES, build

DOCUMENT = "<html><head><title>ä</title></head><body><head></body></html>"


async def streamed(_: object) -> StreamingResponse:
    return StreamingResponse(iter([DOCUMENT[:9], DOCUMENT[9:]]), media_type="text/html")


async def whole(_: object) -> HTMLResponse:
    return HTMLResponse(DOCUMENT)


async def text(_: object) -> PlainTextResponse:
    return PlainTextResponse(DOCUMENT)


async def packed(_: object) -> HTMLResponse:
    return HTMLResponse(DOCUMENT.encode(), headers={"content-encoding": "identity"})


@pytest.fixture(scope="module")
def client() -> TestClient:
    doors = [streamed, whole, text, packed]
    routes = [Route(f"/{one.__name__}", one) for one in doors]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Ahead, script="let é = 1")]))


@pytest.mark.parametrize("name", ["whole", "streamed"])
def test_it_is_the_first_in_a_document(client: TestClient, name: str) -> None:
    found = client.get(name)
    assert found.text == DOCUMENT.replace("<head>", "<head><script>let é = 1</script>", 1)
    assert found.headers["content-length"] == str(len(found.content))


@pytest.mark.parametrize("name", ["text", "packed"])
def test_what_is_no_readable_document_stays_as_it_is(client: TestClient, name: str) -> None:
    assert client.get(name).text == DOCUMENT
    assert client.head("whole").headers["content-length"] == str(len(DOCUMENT.encode()))


def test_a_queue_with_nothing_in_it_is_looked_at_now_and_then() -> None:
    queue = build()._queue
    assert queue.sleep_when_free == queue.progress_update_sleep_when_free == LOOKS


class Summed(Exception):
    """Gradio began to sum its events up."""


def test_events_are_not_summed_up_after_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def summed(_: object) -> None:
        raise Summed

    queue = build()._queue
    monkeypatch.setattr(queue, "_get_df", summed)
    for queue.events_recorded in (1, 2, SUMMARIES - 1):
        queue.compute_analytics_summary([{"function": "describe"}])
    queue.events_recorded = SUMMARIES
    with pytest.raises(Summed):
        queue.compute_analytics_summary([{"function": "describe"}])


def test_no_event_listens_to_many_components() -> None:
    """Before Gradio runs one, it copies the state of all of them: of the form's fields a thousand times
    while a page opens."""
    many = [(fn.api_name, len(fn.targets)) for fn in build().fns.values() if len(fn.targets) > 6]
    assert many == []
