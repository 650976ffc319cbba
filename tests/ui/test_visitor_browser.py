"""A visitor of a shared page: the pictures are still there after a reload, and are nobody else's."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.ui import queue
from studio.ui.page import build, launch_options
from studio.ui.space import SPACE
from tests.support.fake_engine import FakeEngine
from tests.support.studio_page import PATIENCE, Studio, eventually, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def shared(browser: Any, studio_home: Path) -> Iterator[str]:
    """A shared page of its own, whose pictures cost nothing."""
    page = build(SPACE, FakeEngine())
    _, address, _ = page.launch(
        server_name="127.0.0.1", prevent_thread_lock=True, **launch_options()
    )
    yield address.rstrip("/")
    page.close()


def test_a_visitors_strip_survives_a_reload_and_is_nobody_elses(browser: Any, shared: str) -> None:
    shown = "document.querySelectorAll('.gs-strip .gs-moment img').length"
    loaded = "[...document.querySelectorAll('.gs-moment img')].every((one) => one.naturalWidth)"
    contexts = [browser.new_context(viewport={"width": 1440, "height": 950}) for _ in range(2)]
    try:
        for context in contexts:
            context.set_default_timeout(PATIENCE)
        mine, theirs = (Studio(context.new_page(), shared) for context in contexts)
        mine.open()
        mine.set("Images", "2")
        mine.generate()
        mine.page.reload()
        mine.page.wait_for_function(f"{shown} === 2 && {loaded}", polling=100)
        mine.page.wait_for_selector('.gs-stage[data-state="done"] img')
        theirs.open().tab("History")
        theirs.says("0 pictures", ".gs-history-count")
        assert theirs.page.evaluate(shown) == 0
        assert not mine.errors and not theirs.errors
    finally:
        for context in contexts:
            context.close()


def test_pictures_that_went_with_a_start_are_said_to_be_gone(
    browser: Any, studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = "The studio was started anew: 2 pictures made here before are gone"

    def serve(port: int | None = None) -> tuple[Any, str]:
        monkeypatch.setattr(queue, "THIS_START", secrets.token_hex(4))
        page = build(SPACE, FakeEngine())
        _, address, _ = page.launch(
            server_name="127.0.0.1",
            server_port=port,
            prevent_thread_lock=True,
            **launch_options(),
        )
        return page, address.rstrip("/")

    def make_two() -> None:
        visit.set("Images", "2")
        visit.generate()
        visit.page.wait_for_function("document.querySelectorAll('.gs-strip .gs-moment').length > 1")

    def sweep_two() -> None:
        visit.page.get_by_role("button", name="Vary the weight of this row").first.click()
        visit.page.get_by_label("Across: values of weight of row 1").fill("2, 4")
        visit.says("2 pictures", ".gs-sweep-cost")
        visit.page.click(".gs-sweep-start")
        visit.page.wait_for_selector('.gs-sweep-status[data-state="done"]')

    def seen() -> None:  # a page that is open asks when a hand comes
        visit.page.hover("#gs-name")
        visit.page.hover("#gs-generate")
        shown = visit.page.locator("#gs-dock").inner_text()
        assert gone in shown

    page, address = serve()
    port = int(address.rpartition(":")[2])
    context = browser.new_context(viewport={"width": 1440, "height": 950})
    try:
        context.set_default_timeout(PATIENCE)
        visit = Studio(context.new_page(), address).open()
        make_two()
        sweep_two()
        visit.page.goto("about:blank")
        page.close()
        page, _ = serve(port)
        visit.open().says(gone)
        visit.tab("Sweep")
        visit.says("anew, and the pictures of the sweep are gone.", ".gs-sweep-status")
        visit.page.reload()  # told once
        visit.says("Ready")
        expect(visit.page.locator(".gs-sweep-status").first).not_to_contain_text("gone")
        visit.tab("Result")
        make_two()
        page.close()
        page, _ = serve(port)
        eventually(seen)
    finally:
        context.close()
        page.close()
