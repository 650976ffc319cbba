"""Work in the background waits for a moment in which no page asks for anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from studio.ui.lull import LULL, Listens, Lull
from studio.ui.page import launch_options


class Clock:
    """A clock that goes on by sleeping alone; at each sleep something may happen."""

    def __init__(self, happens: Callable[[float], None] = lambda _: None) -> None:
        self.now, self.happens = 0.0, happens

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.happens(self.now)


def lull(clock: Clock) -> Lull:
    return Lull(clock.read, clock.sleep)


def test_where_nobody_ever_asked_nothing_waits() -> None:
    assert lull(Clock()).wait(LULL) == 0


def test_it_waits_until_the_last_request_is_so_long_ago() -> None:
    clock = Clock()
    one = lull(clock)
    one.heard()
    clock.now = 0.1
    assert abs(one.wait(LULL) - 0.2) < 1e-9


def test_requests_that_go_on_put_it_off_but_not_for_ever() -> None:
    clock = Clock()
    one = lull(clock)
    clock.happens = lambda _: one.heard()
    one.heard()
    assert abs(one.wait(LULL, at_most=2.0) - 2.0) < 1e-9


def test_a_page_that_was_given_is_being_opened_until_it_asks_to_be_filled() -> None:
    clock = Clock()
    one = lull(clock)
    one.opens()
    assert abs(one.wait(LULL) - 4.0) < 1e-9
    one.opens()
    clock.now += 0.5
    one.opened()
    assert one.wait(LULL) == 0


def test_the_first_page_is_waited_for_and_until_it_is_open() -> None:
    clock = Clock()
    one = lull(clock)
    one.first(0.05)  # nobody comes
    assert clock.now == 0
    one.opened()
    one.heard()
    one.first(60.0)
    assert abs(clock.now - 0.3) < 1e-9


def test_a_request_is_heard_and_each_part_of_its_answer_is() -> None:
    told: list[str] = []

    class Told(Lull):
        def heard(self) -> None:
            told.append("heard")

        def opens(self) -> None:
            told.append("opens")

        def opened(self) -> None:
            told.append("opened")

    async def text(_: Any) -> PlainTextResponse:
        return PlainTextResponse("here")

    async def page(_: Any) -> HTMLResponse:
        return HTMLResponse("<html></html>")

    asks = Route("/queue/join", text, methods=["POST"])
    routes = [Route("/text", text), Route("/page", page), asks]
    client = TestClient(Starlette(routes=routes, middleware=[Middleware(Listens, lull=Told())]))
    assert client.get("/text").text == "here"
    assert told == 3 * ["heard"]  # asked, begun, sent
    told.clear()
    assert client.get("/page").text == "<html></html>"
    assert told == ["heard", "heard", "opens", "heard"]
    told.clear()
    assert client.post("/queue/join").text == "here"
    assert told == ["heard", "opened", "heard", "heard"]


def test_the_page_is_served_through_it() -> None:
    assert Listens in [one.cls for one in launch_options()["app_kwargs"]["middleware"]]
