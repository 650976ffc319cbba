"""Cropping a row's picture: what is said of the box goes with it, and the box is where the hand drew it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
CONTROLLED = REPOSITORY / "presets" / "10-control-image.json"


def opened(studio: Studio) -> tuple[Any, Any, Any]:
    """The dialog that crops a control image, and the numbers of its sides left and right."""
    page = studio.open().page
    studio.load(CONTROLLED)
    studio.has_rows(["a cat face in flat style on an orange background"])
    page.get_by_role("button", name="Crop the control image").click()
    dialog = page.locator("dialog.gs-cropper")
    left, right = (dialog.get_by_role("textbox", name=side) for side in ("Left (%)", "Right (%)"))
    return dialog, left, right


def test_a_box_is_drawn_where_the_hand_goes_and_what_was_said_of_the_last_one_goes(
    studio: Studio,
) -> None:
    dialog, left, right = opened(studio)
    page = studio.page
    said = dialog.get_by_role("status")
    left.fill("90")
    right.fill("10")
    expect(said).to_have_text("Left is 8 now: two sides may not cross.")
    dialog.get_by_role("button", name="Whole picture").click()
    expect(said).to_have_text("")
    left.fill("90")
    right.fill("10")
    left.fill("150")  # the line below it makes the dialog larger
    frame = dialog.locator(".gs-canvas")
    box = frame.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y + 100, steps=4)
    page.mouse.up()
    expect(said).to_have_text("")
    now = frame.bounding_box()
    assert (now["x"], now["y"]) != (box["x"], box["y"])  # as the line went
    drawn = dialog.locator(".gs-crop-box").bounding_box()
    assert abs(drawn["x"] - x) < 1.5 and abs(drawn["y"] - y) < 1.5
    assert abs(drawn["width"] - 100) < 1.5 and abs(drawn["height"] - 100) < 1.5
    page.keyboard.press("Escape")


def test_a_side_that_is_typed_digit_by_digit_leaves_the_others_as_they_were(studio: Studio) -> None:
    dialog, left, right = opened(studio)
    page = studio.page

    def type_right(text: str) -> None:
        right.press("Control+a")
        right.press("Delete")  # which is no number: nothing gives way to it
        expect(left).to_have_value("40")
        right.press_sequentially(text)

    left.fill("40")
    type_right("80")  # of which the 8 comes first
    expect(left).to_have_value("40")
    expect(dialog.get_by_role("status")).to_have_text("")
    type_right("0,5")
    expect(dialog.locator(".gs-error:visible")).to_contain_text("from 2 to 100")
    expect(left).to_have_value("40")
    page.keyboard.press("Escape")


def test_a_box_that_is_too_small_stays_with_the_reason(studio: Studio) -> None:
    dialog, left, right = opened(studio)
    left.fill("49")
    right.fill("51")
    use = dialog.get_by_role("button", name="Use crop")
    use.click()
    said = dialog.get_by_role("status")
    expect(said).to_contain_text("pixels are left; at least 16x16")
    expect(left).to_have_value("49")
    right.fill("90")
    expect(said).to_have_text("")
    use.click()
    expect(dialog).to_have_count(0)
