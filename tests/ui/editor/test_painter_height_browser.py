"""The painter in a low window."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_a_low_window_shows_the_answers_below_the_canvas_and_its_hints(desk: Studio) -> None:
    desk.use(["a cat"])
    page = desk.page
    page.set_viewport_size({"width": 1280, "height": 720})
    page.get_by_role("button", name="More: adapters, range, curve, mask, reference").click()
    page.get_by_role("button", name="Paint mask").click()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")  # by keys, whose hint is shown then
    expect(page.get_by_text("Arrow keys move the brush")).to_be_visible()
    expect(page.get_by_role("button", name="Use mask")).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("Where this row acts")).to_be_in_viewport(ratio=1)
