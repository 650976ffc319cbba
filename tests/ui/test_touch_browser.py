"""A phone in the hand: fingers that scroll, two that zoom, a keyboard that leaves little of the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.studio_page import PATIENCE, Studio, expect

pytestmark = pytest.mark.browser
UPRIGHT = {"width": 390, "height": 844}
KEYBOARD = {"width": 390, "height": 420}  # what a phone's own keyboard leaves
PAIR = """() => { const picture = (n) => ({ id: `${n}`, title: `picture ${n}`, differs: [], image: {} });
    const dialog = studio.compareDialog([picture(1), picture(2)]);
    document.body.append(dialog); dialog.showModal(); }"""


@pytest.fixture
def phone(browser: Any, address: str) -> Iterator[Studio]:
    context = browser.new_context(viewport=UPRIGHT, has_touch=True, is_mobile=True)
    context.set_default_timeout(PATIENCE)
    found = Studio(context.new_page(), address).open()
    yield found
    context.close()
    found.assert_clean()


def _swipe(studio: Studio, *paths: list[tuple[float, float]]) -> None:
    """Fingers that come down one after the other, go on together and leave."""
    hand = studio.page.context.new_cdp_session(studio.page)

    def touch(kind: str, points: list[tuple[float, float]]) -> None:
        told = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

    for fingers in range(1, len(paths) + 1):
        touch("touchStart", [path[0] for path in paths[:fingers]])
    for points in zip(*(path[1:] for path in paths), strict=True):
        touch("touchMove", list(points))
    touch("touchEnd", [])


def test_fingers_scroll_and_zoom_and_nothing_lies_under_the_buttons(phone: Studio) -> None:
    page = phone.page
    slider = page.locator(".gs-track .gs-slider").first
    slider.scroll_into_view_if_needed()
    box, before = slider.bounding_box(), phone.rows()[0]["weight"]
    x, y = box["x"] + box["width"] / 5, box["y"] + box["height"] / 2
    _swipe(phone, [(x, y - 8 * step) for step in range(12)])
    page.wait_for_function("scrollY > 0")
    assert phone.rows()[0]["weight"] == before
    expect(page.locator("#gs-undo button").first).to_be_disabled()  # no step of nothing

    page.set_viewport_size(KEYBOARD)
    prompt = phone.prompt(0)
    prompt.fill("")
    prompt.press_sequentially("a ro")
    last = page.locator(".gs-complete [role=option]").last
    expect(last).to_be_visible()
    page.set_viewport_size(KEYBOARD)
    last.click()  # which the buttons' foot would take
    expect(prompt).to_have_value("a roller skate")

    page.set_viewport_size(UPRIGHT)
    page.evaluate(PAIR)
    frame = page.locator(".gs-compare-frame").first
    within = page.locator(".gs-compare-dialog").bounding_box()
    assert within["x"] >= 0
    assert within["x"] + within["width"] <= UPRIGHT["width"]
    page.evaluate(
        "document.querySelectorAll('.gs-compare-frame').forEach((one) => (one.style.height = '300px'))"
    )
    box = frame.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 150
    paths = ([(x + side * (20 + 5 * step), y) for step in range(9)] for side in (-1, 1))
    _swipe(phone, *paths)
    expect(page.locator(".gs-compare")).to_have_attribute("data-zoomed", "")
    page.keyboard.press("Escape")

    page.evaluate("void studio.paint({ title: 'Mask', size: [256, 256] })")
    canvas = page.locator("dialog.gs-painter .gs-canvas")
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    paths = ([(x + side * (20 + 5 * step), y) for step in range(9)] for side in (-1, 1))
    _swipe(phone, *paths)
    expect(canvas).to_have_attribute("data-zoomed", "")
    undo = page.locator("dialog.gs-painter").get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()  # neither finger has painted
    _swipe(phone, [(x + 3 * step, y) for step in range(9)])
    expect(undo).to_be_enabled()
