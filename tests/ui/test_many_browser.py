"""Many results beside each other: the pictures have the room, and their signs come with the pointer."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
SIGNS_INSIDE = """(one) => [...one.querySelectorAll(".gs-tool")].every((sign) => {
    const [sees, all] = [sign, one].map((node) => node.getBoundingClientRect());
    return sees.left >= all.left - 1 && sees.right <= all.right + 1;
})"""


def test_of_nine_results_each_is_large_and_its_signs_can_be_pressed(studio: Studio) -> None:
    page = studio.open().page
    page.set_viewport_size({"width": 1280, "height": 720})
    studio.use(["a cat face"], steps=1)
    studio.set("Images", "9")
    studio.generate()
    figures = page.locator(".gs-stage figure")
    expect(figures).to_have_count(9)
    share = """(one) => {
        const [cell, picture] = [one, one.querySelector("img")].map((node) => node.clientHeight);
        return picture / cell;
    }"""
    assert figures.nth(4).evaluate(share) > 0.8
    star = figures.nth(4).get_by_role("button", name="Star", exact=True)
    page.set_viewport_size({"width": 390, "height": 844})
    for at in range(9):
        assert figures.nth(at).evaluate(SIGNS_INSIDE), at
    page.set_viewport_size({"width": 1280, "height": 720})
    figures.nth(4).hover()
    assert figures.nth(4).evaluate(SIGNS_INSIDE)  # none lies over a neighbour's
    star.click()
    expect(figures.nth(4).locator("[aria-pressed=true]")).to_have_count(1)
    page.mouse.move(5, 5)
    star = """(one) => getComputedStyle(one, "::after").content"""
    assert "★" in figures.nth(4).evaluate(star)  # seen without a pointer there
    tools = figures.nth(5).locator(".gs-result-tools")
    expect(tools).to_have_css("opacity", "0")
    figures.nth(5).locator(".gs-tool").first.focus()  # by keyboard they come, too
    expect(tools).to_have_css("opacity", "1")
    page.set_viewport_size({"width": 1440, "height": 950})
