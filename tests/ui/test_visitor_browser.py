"""A visitor of a shared page: the pictures are still there after a reload, and are nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.ui.page import build, launch_options
from studio.ui.space import SPACE
from tests.support.fake_engine import FakeEngine
from tests.support.studio_page import PATIENCE, Studio

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
