"""The tour in a browser: offered once, walked by keyboard, at a phone's width, left by Esc."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.studio_page import Studio, eventually, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
AT = "(text) => document.querySelector('.gs-tour-title')?.textContent.startsWith(text)"


def without_fault(page: Any) -> None:
    found = Axe().run(page, context=".gs-tour").response["violations"]
    assert not [one["id"] for one in found]


def test_six_steps_that_each_load_a_preset_and_point_at_something(studio: Studio) -> None:
    page = studio.open().page
    page.get_by_role("button", name="New here? Take the tour").click()
    for number, title in enumerate(
        ("A negative row", "Two rows", "ω from 0 to 1", "Decoupling", "Masks", "Train"), 1
    ):
        page.wait_for_function(AT, arg=f"{number} of 6: {title}")
        page.wait_for_selector(".gs-pointed")
        if number == 1:
            assert [row["weight"] for row in studio.rows()] == [5, -4]
            eventually(lambda: without_fault(page))
        page.keyboard.press("Enter")
    page.get_by_text("That was the tour: ").wait_for()
    page.get_by_role("button", name="Back").click()
    page.wait_for_function(AT, arg="6 of 6")
    page.keyboard.press("Escape")
    page.wait_for_selector(".gs-tour", state="detached")
    page.set_viewport_size({"width": 390, "height": 844})
    page.reload()
    page.get_by_role("button", name="Tour", exact=True).click()  # the offer stays dismissed
    page.wait_for_selector(".gs-pointed")

    def in_sight() -> None:
        box = page.locator(".gs-tour").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390

    eventually(in_sight)
    page.wait_for_function("document.documentElement.scrollWidth <= 390")
    page.keyboard.press("Escape")
    page.wait_for_selector(".gs-tour", state="detached")
