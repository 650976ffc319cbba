"""Grey in a mask: the brush's strength, and the switch that reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import REPOSITORY
from tests.support.painted import begun
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
CAT = REPOSITORY / "assets" / "examples" / "cat.png"
# How much ink there is at parts of the canvas's height, in the middle.
INK = """(parts) => parts.map((part) => {
    const canvas = document.querySelector(".gs-strokes");
    const place = [canvas.width / 2, part * canvas.height].map(Math.round);
    return canvas.getContext("2d").getImageData(...place, 1, 1).data[3];
})"""


def test_a_stroke_of_half_the_strength_is_half_grey_all_over(desk: Studio, home: Path) -> None:
    begun(desk, CAT)
    page = desk.page
    page.get_by_label("Paint the mask").click()
    dialog = page.locator("dialog.gs-painter")
    box = dialog.locator(".gs-canvas").bounding_box()
    assert box is not None

    def stroke(part: float) -> None:
        """To and fro, over itself."""
        y = box["y"] + part * box["height"]
        page.mouse.move(box["x"] + 0.2 * box["width"], y)
        page.mouse.down()
        for across in (0.8, 0.3, 0.7):
            page.mouse.move(box["x"] + across * box["width"], y, steps=5)
        page.mouse.up()

    stroke(0.2)
    strength = dialog.get_by_label("Brush strength")
    strength.fill("50")
    stroke(0.5)
    assert np.abs(np.subtract(page.evaluate(INK, [0.2, 0.5, 0.8]), [255, 128, 0])).max() <= 1
    stroke(0.5)  # adds to what is there
    stroke(0.2)
    assert np.abs(np.subtract(page.evaluate(INK, [0.2, 0.5, 0.8]), [255, 192, 0])).max() <= 1
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    dialog.get_by_role("button", name="Erase").click()
    stroke(0.2)
    assert np.abs(np.subtract(page.evaluate(INK, [0.2, 0.5, 0.8]), [127, 128, 0])).max() <= 1
    dialog.get_by_role("button", name="Invert").click()
    assert np.abs(np.subtract(page.evaluate(INK, [0.2, 0.5, 0.8]), [128, 127, 255])).max() <= 1
    soft = page.locator(".gs-start").get_by_label("Soft inpainting")
    expect(soft).to_be_hidden()  # there is no mask yet
    dialog.get_by_role("button", name="Use mask").click()
    page.wait_for_function("studio.start.init?.mask")
    mask = np.asarray(Image.open(home / page.evaluate("studio.start.init.mask")).convert("L"))
    middle = mask[:, mask.shape[1] // 2].astype(int)
    found = [middle[round(part * len(middle))] for part in (0.2, 0.5, 0.8)]
    assert np.abs(np.subtract(found, [128, 127, 255])).max() <= 2
    soft.check()
    page.wait_for_function("studio.start.init.soft_inpainting === true")
    page.get_by_label("Remove the mask").click()
    expect(soft).to_be_visible()  # it is on, and can be switched off
    desk.says("there is no mask, so that it changes nothing", "#gs-plan")
    soft.uncheck()
    expect(soft).to_be_hidden()
    page.get_by_role("button", name="Start from noise").click()


def test_a_stroke_that_began_with_the_right_button_erases_to_its_end(desk: Studio) -> None:
    begun(desk, CAT)
    page = desk.page
    page.get_by_label("Paint the mask").click()
    dialog = page.locator("dialog.gs-painter")
    box = dialog.locator(".gs-canvas").bounding_box()
    assert box is not None
    y = box["y"] + 0.5 * box["height"]
    for button in ("left", "right"):
        page.mouse.move(box["x"] + 0.2 * box["width"], y)
        page.mouse.down(button=button)
        if button == "right":
            page.mouse.move(box["x"] + 0.3 * box["width"], y, steps=3)
            page.mouse.down(button="left")
        page.mouse.move(box["x"] + 0.8 * box["width"], y, steps=5)
        page.mouse.up(button="left")
        page.mouse.up(button="right")
    assert page.evaluate(INK, [0.5]) == [0]
    page.once("dialog", lambda asks: asks.accept())
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start from noise").click()


def test_a_colour_is_no_part_of_one(desk: Studio) -> None:
    begun(desk, CAT)
    page = desk.page
    page.get_by_role("button", name="Paint on the picture in colours").click()
    dialog = page.locator("dialog.gs-sketch")
    expect(dialog.get_by_label("Brush size")).to_be_visible()
    expect(dialog.get_by_label("Brush strength")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Start from noise").click()
