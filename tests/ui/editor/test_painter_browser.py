"""The painter of masks: its strokes, what takes them back, and that none is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import skimage

from tests.support import REPOSITORY
from tests.support.painted import INKED, begun, white
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
CAT = REPOSITORY / "assets" / "examples" / "cat.png"
PHOTO = Path(skimage.__file__).parent / "data" / "astronaut.png"


def test_what_was_painted_is_taken_back_stroke_by_stroke_and_not_lost_by_esc(desk: Studio) -> None:
    desk.use(["a cat face"])
    page = desk.page
    desk.press(0, "More: adapters")
    page.get_by_role("button", name="Paint mask").click()
    dialog = page.locator("dialog.gs-painter")
    box = dialog.locator(".gs-canvas").bounding_box()
    assert box is not None
    undo = dialog.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    found = [0]
    for part in (0.25, 0.75):
        page.mouse.move(box["x"] + box["width"] * part, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * part, box["y"] + 90, steps=3)
        page.mouse.up()
        found.append(page.evaluate(INKED))
    assert found[2] > found[1] > 0
    page.keyboard.press("Control+z")
    assert page.evaluate(INKED) == found[1]
    for keys in ("Control+Shift+Z", "Control+y"):  # again, as all over the page
        page.keyboard.press(keys)
        assert page.evaluate(INKED) == found[2]
        page.keyboard.press("Control+z")
        assert page.evaluate(INKED) == found[1]
    redo = dialog.get_by_role("button", name="Redo")
    redo.click()
    assert page.evaluate(INKED) == found[2]
    expect(redo).to_be_disabled()
    undo.click()
    # Near by, a dot is where the hand is, and the brush follows the wheel.
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5)
    for _ in range(12):
        page.mouse.wheel(0, -100)
    page.keyboard.press("[")
    expect(dialog.get_by_label("Brush size")).to_have_value("22")
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Shift")
    expect(dialog.get_by_label("Brush size")).to_have_value("25")
    page.mouse.down(button="middle")
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.up(button="middle")
    assert page.evaluate(INKED) == found[1]
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.up()
    inked = page.evaluate(
        """() => [0.5, 0.75].map((across) => {
            const canvas = document.querySelector('.gs-strokes');
            const place = [across * canvas.width, canvas.height / 2].map(Math.round);
            return canvas.getContext('2d').getImageData(...place, 1, 1).data[3];
        })"""
    )
    assert inked == [0, 255]
    undo.click()
    page.keyboard.press("0")
    asked: list[str] = []

    def refuse(question: Any) -> None:
        asked.append(question.message)
        question.dismiss()

    page.on("dialog", refuse)
    for times in (1, 2):  # a second Esc on end is asked about as well
        page.keyboard.press("Escape")
        expect(dialog).to_be_visible()
        assert asked == ["Leave the mask as it was, without what you painted?"] * times
    page.remove_listener("dialog", refuse)
    assert page.evaluate(INKED) == found[1]
    undo.click()
    expect(undo).to_be_disabled()
    assert page.evaluate(INKED) == 0
    dialog.get_by_role("button", name="Use mask").click()  # and nothing is there to be used
    desk.says("Nothing is painted", ".gs-toast")
    assert desk.rows()[0]["mask"] == ""


def test_a_stroke_that_was_taken_back_changes_no_mask(desk: Studio) -> None:
    steps = """() => {
        const canvas = document.createElement("canvas"), other = document.createElement("canvas");
        const painter = new studio.Painter(canvas, "", "a mask");
        const found = [];
        for (let stroke = 0; stroke < 25; stroke++) painter.clear();
        for (let stroke = 0; stroke < 25; stroke++) painter.undo(); // 20 are remembered
        found.push(painter.painted(canvas), painter.painted(other));
        const second = new studio.Painter(other, "", "another");
        second.clear();
        second.undo();
        return [...found, second.painted(other)];
    }"""
    assert desk.page.evaluate(steps) == [True, False, False]


def test_what_is_taken_back_in_mid_stroke_ends_it(desk: Studio) -> None:
    desk.use(["a cat face", "a dog face"])
    page = desk.page
    page.get_by_role("button", name="Masks", exact=True).click()
    dialog = page.locator("dialog.gs-painter")
    box = dialog.locator(".gs-canvas").bounding_box()
    assert box is not None
    undo = dialog.get_by_role("button", name="Undo")
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60, steps=3)
    page.keyboard.press("Control+z")
    page.mouse.move(box["x"] + 120, box["y"] + 120, steps=3)
    page.mouse.up()
    expect(undo).to_be_disabled()
    assert page.evaluate(INKED) == 0  # what is shown is what would be used
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 120, steps=3)
    page.mouse.up()
    expect(undo).to_be_enabled()
    assert page.evaluate(INKED) > 0
    dialog.get_by_role("button", name="Use masks").click()
    page.wait_for_function("studio.stack.cards[0]?.row.mask.startsWith('inputs/')")


UPLOADS = "**/gradio_api/upload*"


def fails(desk: Studio, press: Callable[[], None]) -> None:
    """Press what needs an upload where none arrives: the painter says so, and stays with its ink."""
    page = desk.page
    before = page.evaluate(INKED)
    assert before > 0
    page.route(UPLOADS, lambda route: route.abort())
    press()
    desk.says("The image could not be uploaded", "dialog.gs-painter [role=alert]")
    page.unroute(UPLOADS)
    expect(page.locator("dialog.gs-painter")).to_be_visible()
    assert page.evaluate(INKED) == before
    press()
    expect(page.locator("dialog.gs-painter")).to_have_count(0)


def test_masks_that_cannot_be_uploaded_stay_in_the_painter(desk: Studio, home: Path) -> None:
    desk.use(["a cat face", "a dog face"])
    page = desk.page
    page.get_by_role("button", name="Masks", exact=True).click()
    dialog = page.locator("dialog.gs-painter")
    dialog.get_by_role("button", name="Invert").click()
    dialog.get_by_role("button", name="2: a dog face").click()
    dialog.get_by_role("button", name="Invert").click()
    fails(desk, dialog.get_by_role("button", name="Use masks").click)
    page.wait_for_function("studio.stack.cards[1]?.row.mask.startsWith('inputs/')")
    assert [white(home, row["mask"]).all() for row in desk.rows()] == [True, True]
    page.locator(".gs-undo button").first.click()  # both at once
    page.wait_for_function("studio.stack.cards.every((card) => card.row.mask === '')")
    desk.press(0, "More: adapters")
    desk.press(0, "Paint mask")
    dialog.get_by_role("button", name="Invert").click()
    fails(desk, dialog.get_by_role("button", name="Use mask").click)
    page.wait_for_function("studio.stack.cards[0]?.row.mask.startsWith('inputs/')")


def test_a_start_mask_that_cannot_be_uploaded_stays_in_the_painter(desk: Studio) -> None:
    desk.use(["a cat face"])
    page = desk.page
    desk.unfold("Advanced")
    page.locator(".gs-start > .gs-file").set_input_files(CAT)
    page.locator(".gs-start > .gs-thumb img").wait_for()
    picture, block = page.locator(".gs-start > .gs-thumb"), page.locator(".gs-start")
    assert picture.bounding_box()["y"] - block.bounding_box()["y"] < 20, "beside the first field"
    page.locator(".gs-start").get_by_label("Paint the mask").click()
    dialog = page.locator("dialog.gs-painter")
    dialog.get_by_role("button", name="Invert").click()
    fails(desk, dialog.get_by_role("button", name="Use mask").click)
    page.locator(".gs-start-details .gs-thumb img").wait_for()
    page.get_by_role("button", name="Start from noise").click()


def test_a_double_press_opens_one_painter(desk: Studio) -> None:
    desk.use(["a cat face", "a dog face"])
    page = desk.page
    desk.unfold("Advanced")
    page.locator(".gs-start > .gs-file").set_input_files(CAT)
    page.locator(".gs-start > .gs-thumb img").wait_for()
    desk.press(0, "More: adapters")
    painters = page.locator("dialog.gs-painter")
    for name in ("Masks", "Paint mask", "Paint the mask"):
        for _ in range(2):  # the first is closed, and stands in no one's way
            # A hand's second press may fall onto the canvas, and paint.
            press = page.get_by_role("button", name=name, exact=True).first
            press.evaluate("(button) => [button.click(), button.click()]")
            painters.first.wait_for()
            desk.rest()
            expect(painters).to_have_count(1)
            page.keyboard.press("Escape")
            expect(painters).to_have_count(0)
    page.get_by_role("button", name="Start from noise").click()


def test_a_mask_is_painted_by_keyboard(desk: Studio, home: Path) -> None:
    desk.use(["a cat face", "a dog face"])
    page = desk.page
    page.get_by_role("button", name="Masks", exact=True).focus()
    page.keyboard.press("Enter")
    canvas = page.get_by_role("application", name="Canvas")
    expect(canvas).to_be_focused()
    desk.says("Space puts it down", ".gs-brush-hint")
    page.keyboard.press("Shift+Tab")  # the brush's own keys are its slider's
    page.locator("dialog.gs-painter").get_by_label("Brush size").fill("80")
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")  # to the left third, with the brush up
    page.keyboard.press("Shift+ArrowUp")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Space")
    expect(canvas.locator(".gs-brush-ring")).to_have_attribute("data-down", "")
    for _ in range(10):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("Shift+ArrowRight")  # paints nothing any more
    page.get_by_role("button", name="Use masks").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("studio.stack.cards[0]?.row.mask.startsWith('inputs/')")
    found = white(home, desk.rows()[0]["mask"])
    assert found[:, 0].all() and not found[:, 1:].any()


def test_what_is_found_in_the_picture_is_painted_as_one_step(desk: Studio) -> None:
    begun(desk, PHOTO)
    page = desk.page
    page.get_by_label("Paint the mask").click()
    dialog = page.locator("dialog.gs-painter")
    words = dialog.get_by_label("What to find in the picture")
    words.press("Enter")  # none: faces
    page.wait_for_function(f"({INKED})() > 0")
    inked = page.evaluate(INKED)
    words.fill("hat")
    words.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("CIDAS/clipseg-rd64-refined")
    assert page.evaluate(INKED) == inked
    dialog.get_by_role("button", name="Undo").click()
    assert page.evaluate(INKED) == 0
    dialog.get_by_role("button", name="Redo").click()
    dialog.get_by_role("button", name="Use mask").click()
    page.wait_for_function("studio.start.init?.mask")
    page.get_by_role("button", name="Start from noise").click()


def test_colours_are_painted_on_a_picture_to_start_from_and_may_be_its_mask(desk: Studio) -> None:
    begun(desk, CAT)
    page = desk.page
    first = page.evaluate("studio.start.init.image")
    page.get_by_role("button", name="Paint on the picture in colours").click()
    dialog = page.locator("dialog.gs-sketch")
    colour = dialog.get_by_label("Colour")
    colour.fill("#ffee00")
    box = dialog.locator(".gs-canvas").bounding_box()
    assert box is not None
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*at)
    colour.fill("#000000")
    page.keyboard.down("Alt")  # takes what is seen there
    page.mouse.click(*at)
    page.keyboard.up("Alt")
    expect(colour).to_have_value("#ffee00")
    page.once("dialog", lambda question: question.dismiss())
    page.keyboard.press("Escape")  # nothing that was painted goes without a word
    dialog.get_by_label("Only what is painted is made anew").check()
    dialog.get_by_role("button", name="Use the picture").click()
    expect(dialog).to_have_count(0)
    init = page.evaluate("studio.start.init")
    assert init["image"] not in ("", first)
    assert init["mask"]
    desk.rest()
    page.get_by_role("button", name="Undo").first.click()  # one step
    page.wait_for_function("(image) => studio.start.init.image === image", arg=first)
    assert not page.evaluate("studio.start.init.mask")
    page.get_by_role("button", name="Start from noise").click()
