"""A result's star and its way into the bin where it is looked at: on the stage, enlarged, in the strip."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
SEED = "Seed (−1: new each time)"


@pytest.fixture
def made(desk: Studio) -> Studio:
    """Two pictures on the stage, first in the strip."""
    desk.use(["a cat face"], steps=1)
    desk.set(SEED, "61")
    desk.set("Images", "2")
    desk.tab("Result")
    desk.generate()
    return desk


def marks(desk: Studio, at: int) -> Any:
    return desk.page.locator(".gs-stage .gs-mark-tools").nth(at)


def moment(desk: Studio, at: int) -> Any:
    return desk.page.locator(".gs-strip .gs-moment").nth(at)


def test_a_result_is_starred_and_deleted_where_it_is_shown(made: Studio) -> None:
    page = made.page
    marks(made, 1).get_by_role("button", name="Star").click()
    expect(moment(made, 0).get_by_label("Starred")).to_be_visible()
    # What is starred stays, and says so.
    marks(made, 1).get_by_role("button", name="Delete").click()
    made.says("1 kept: starred", ".gs-toast")
    marks(made, 1).get_by_role("button", name="Take the star away").click()
    expect(moment(made, 0).get_by_label("Starred")).to_have_count(0)
    strip = made.moments()
    marks(made, 1).get_by_role("button", name="Delete").click()
    page.wait_for_function(
        "(id) => !document.querySelector(`.gs-moment[data-id='${id}']`)", arg=strip[0]
    )
    expect(page.locator(".gs-stage figure").nth(1)).to_have_class(re.compile("gs-gone"))
    marks(made, 1).get_by_role("button", name="Bring back").click()
    expect(page.locator(f".gs-moment[data-id='{strip[0]}']")).to_be_visible()
    expect(page.locator(".gs-stage .gs-gone")).to_have_count(0)


def test_an_enlarged_result_goes_to_the_one_beside_it_and_takes_the_keys_of_the_history(
    made: Studio,
) -> None:
    page = made.page
    page.locator(".gs-stage .gs-picture").first.click()
    box = page.locator("dialog.gs-lightbox")
    first = box.locator("img").get_attribute("src")
    expect(box).to_contain_text("seed 61")
    page.keyboard.press("ArrowRight")
    expect(box).to_contain_text("seed 62")
    expect(box.locator("img")).not_to_have_attribute("src", first)
    page.keyboard.press("ArrowRight")  # the last one stays
    expect(box).to_contain_text("seed 62")
    page.keyboard.press("s")
    expect(box.get_by_role("button", name="Take the star away")).to_be_visible()
    expect(moment(made, 0).get_by_label("Starred")).to_have_count(1)
    page.keyboard.press("s")
    expect(moment(made, 0).get_by_label("Starred")).to_have_count(0)
    box.get_by_role("button", name="The one before").click()
    expect(box).to_contain_text("seed 61")
    page.keyboard.press("Delete")
    expect(box.get_by_role("button", name="Bring back")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(box.get_by_role("button", name="Delete")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(box).to_have_class(re.compile("gs-gone"))
    box.get_by_role("button", name="Bring back").click()
    expect(box).not_to_have_class(re.compile("gs-gone"))
    expect(box.get_by_role("button", name="Delete")).to_be_focused()
    # Near by, the arrow keys and a hand move it, and only a press in place closes it.
    shown = box.locator("img")
    shown.hover()
    page.mouse.wheel(0, -100)
    expect(shown).to_have_css("transform", re.compile(r"matrix\(1\.2, 0, 0, 1\.2, .*"))
    place = shown.evaluate("(image) => image.style.transform")
    page.keyboard.press("ArrowRight")
    expect(box).to_contain_text("seed 61")
    assert shown.evaluate("(image) => image.style.transform") != place
    page.mouse.down()
    page.mouse.move(200, 200)
    page.mouse.up()
    expect(box).to_be_visible()
    page.keyboard.press("0")
    expect(shown).to_have_css("transform", "matrix(1, 0, 0, 1, 0, 0)")
    # Its own pixels are fewer than those of the screen that show it.
    own = box.get_by_role("button", name="As large as its own pixels")
    expect(own).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)


def test_one_result_alone_leads_through_the_strip(made: Studio) -> None:
    page = made.page
    moment(made, 1).locator(".gs-picture").click()
    expect(page.locator(".gs-stage figure")).to_have_count(1)
    page.locator(".gs-stage .gs-picture").click()
    box = page.locator("dialog.gs-lightbox")
    expect(box).to_contain_text("seed 61")
    page.keyboard.press("ArrowLeft")
    expect(box).to_contain_text("seed 62")
    page.keyboard.press("Escape")


def test_the_strip_has_the_keys_of_the_history(made: Studio) -> None:
    page = made.page
    [newest, *_] = made.moments()
    moment(made, 0).locator(".gs-picture").focus()
    page.keyboard.press("s")
    expect(moment(made, 0).get_by_label("Starred")).to_have_count(1)
    page.keyboard.press("s")
    expect(moment(made, 0).get_by_label("Starred")).to_have_count(0)
    page.keyboard.press("Delete")
    expect(page.locator(f".gs-moment[data-id='{newest}']")).to_have_count(0)
    page.locator(".gs-toast", has_text="in the bin").get_by_role("button").last.click()
    expect(page.locator(f".gs-moment[data-id='{newest}']")).to_have_count(1)
