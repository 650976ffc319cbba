"""A start picture that goes through several times, and FreeU, on the page."""

from __future__ import annotations

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
CAT = REPOSITORY / "assets" / "examples" / "cat.png"


def test_loops_stand_beside_the_strength_and_are_an_axis(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat face"], steps=4)
    desk.unfold("Advanced")
    start = page.locator(".gs-start")
    page.locator(".gs-start > .gs-file").set_input_files(CAT)
    page.locator(".gs-start > .gs-thumb img").wait_for()
    start.get_by_label("Strength", exact=True).fill("0.5")
    loops = start.get_by_label("Loops", exact=True)
    expect(loops).to_have_value("1")
    loops.fill("3")
    loops.press("Tab")
    cost = page.locator(".gs-cost").first
    expect(cost).to_contain_text("2 steps of 4 × 3 rounds")
    desk.tab("Result")
    desk.generate()
    assert page.evaluate("studio.start.init.loops") == 3
    start.locator(".gs-line", has_text="Loops").get_by_role("button").click()
    expect(page.get_by_label("Across: values of Loops")).to_be_visible()
    start.get_by_label("Start from noise").click()
    expect(cost).not_to_contain_text("rounds")


def test_freeu_shows_its_factors_where_it_is_on(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat face"], steps=4)
    desk.unfold("Advanced")
    factor = page.locator("[data-path='freeu.b1']")
    page.get_by_label("FreeU", exact=True).set_checked(False)
    expect(factor).to_be_hidden()
    page.get_by_label("FreeU", exact=True).set_checked(True)
    expect(factor).to_be_visible()
    page.get_by_label("FreeU b1", exact=True).last.fill("1.2")
    page.get_by_label("FreeU", exact=True).set_checked(False)
    expect(factor).to_contain_text("FreeU is off")
    page.get_by_label("FreeU b1", exact=True).last.fill("")
    expect(factor).to_be_hidden()
