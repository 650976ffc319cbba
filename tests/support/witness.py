"""What the pages were like when a test of the browser failed."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

_WITNESSES: weakref.WeakSet[Witness] = weakref.WeakSet()

STATE = """() => ({
    address: location.href,
    tab: [...document.querySelectorAll('#gs-tabs [role=tab][aria-selected=true]')].map((n) => n.textContent.trim()),
    progress: document.querySelector('.gs-progress')?.outerHTML.slice(0, 400),
    stage: document.querySelector('.gs-stage')?.outerHTML.slice(0, 1200),
    rows: window.studio?.stack?.cards?.map((card) => card.row.prompt),
    plan: document.querySelector('#gs-plan')?.innerText.slice(0, 400),
    toasts: [...document.querySelectorAll('.toast-body, .gs-toast')].map((n) => n.innerText),
    dialogs: [...document.querySelectorAll('dialog[open]')].map((n) => n.className),
})"""


class Witness:
    """The last of what a page said and asked for; :meth:`report` tells it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.heard: deque[str] = deque(maxlen=60)
        page.on("console", lambda said: self.heard.append(f"{said.type}: {said.text[:300]}"))
        page.on("pageerror", lambda error: self.heard.append(f"error: {error.stack or error}"))
        page.on("request", lambda one: self._request("asks", one))
        page.on("requestfinished", lambda one: self._request("got", one))
        page.on("requestfailed", lambda one: self._request(f"lost ({one.failure})", one))
        _WITNESSES.add(self)

    def _request(self, how: str, request: Any) -> None:
        asked = "/gradio_api/" in request.url and "/gradio_api/file=" not in request.url
        if asked or how.startswith("lost"):
            self.heard.append(f"{how} {request.method} {request.url[-90:]}")

    def report(self) -> str:
        """The page as it is now, and what led to it."""
        if self.page.is_closed():
            return ""
        try:
            state = self.page.evaluate(STATE)
        except Exception as error:  # a page that is beyond asking is worth a word too
            state = {"cannot be asked": str(error)}
        lines = [f"{name}: {value}" for name, value in state.items()]
        return "\n".join([*lines, *self.heard])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """Add the pages to the report of a test that failed."""
    outcome: Any = yield
    report = outcome.get_result()
    if not report.failed or not item.get_closest_marker("browser"):
        return
    told = [text for one in list(_WITNESSES) if (text := one.report())]
    report.sections.extend((f"page {number}", text) for number, text in enumerate(told, 1))
