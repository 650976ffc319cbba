"""The masks of all rows over one picture, painted each in its own colour."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]

CAT = REPOSITORY / "assets" / "examples" / "cat.png"
INKED = """() => {
    const canvas = document.querySelector("dialog.gs-painter canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((sum, value, at) => sum + (at % 4 === 3 && value > 0), 0);
}"""


def white(home: Path, reference: str) -> np.ndarray:
    """Where a stored mask is white, as a map of thirds by thirds."""
    mask = np.asarray(
        Image.open(home / reference).convert("L").resize((3, 3), Image.Resampling.BOX)
    )
    return mask > 100


def test_each_row_gets_what_is_painted_in_its_colour(desk: Studio, home: Path) -> None:
    desk.use(["a cat face", "a dog face", "a rocket"])
    page = desk.page
    page.get_by_role("button", name="Masks", exact=True).click()
    dialog = page.locator("dialog.gs-painter")
    frame = dialog.locator(".gs-canvas").bounding_box()
    assert frame is not None
    expect(dialog.locator("canvas")).to_have_count(3)

    def stroke(across: float) -> None:
        x = frame["x"] + frame["width"] * across
        page.mouse.move(x, frame["y"] + 5)
        page.mouse.down()
        page.mouse.move(x, frame["y"] + frame["height"] - 5, steps=4)
        page.mouse.up()

    dialog.get_by_label("Brush size").fill("80")
    stroke(1 / 6)
    dialog.get_by_role("button", name="2: a dog face").click()
    stroke(5 / 6)
    dialog.get_by_role("button", name="Use masks").click()
    page.wait_for_function("studio.stack.cards[1]?.row.mask.startsWith('inputs/')")
    first, second, third = (row["mask"] for row in desk.rows())
    assert white(home, first)[:, 0].all() and not white(home, first)[:, 2].any()
    assert white(home, second)[:, 2].all() and not white(home, second)[:, 0].any()
    assert third == ""  # not painted, so that it acts everywhere
    page.get_by_role("button", name="Masks", exact=True).click()
    dialog.get_by_role("button", name="2: a dog face").click()
    dialog.get_by_role("button", name="None").click()
    dialog.get_by_role("button", name="Use masks").click()
    page.wait_for_function("studio.stack.cards[1]?.row.mask === ''")
    assert desk.rows()[0]["mask"] == first  # what was not touched stays


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


def test_a_mask_that_is_black_all_over_is_said(desk: Studio, tmp_path: Path) -> None:
    desk.use(["a cat face", "a dog face"])
    desk.press(0, "More: adapters")
    black = tmp_path / "black.png"
    Image.new("L", (64, 64)).save(black)
    desk.card(0).locator(".gs-masking input[type=file]").set_input_files(black)
    desk.says("row 1: its mask is black all over, so it acts nowhere.", "#gs-plan .gs-cost")


def test_pictures_of_another_aspect_are_said_to_be_cut_or_squeezed(
    desk: Studio, tmp_path: Path
) -> None:
    desk.use(["a cat face"])
    wide = tmp_path / "wide.png"
    Image.new("RGB", (300, 200)).save(wide)
    desk.unfold("Advanced")
    desk.page.locator("#gs-start input[type=file]").first.set_input_files(wide)
    desk.says("its middle is taken, 300x200 to 256x256.", "#gs-plan .gs-cost")
    desk.set("Width", "384")
    desk.set("Height", "256")
    desk.page.wait_for_function("!document.querySelector('#gs-plan')?.innerText.includes('middle')")
    desk.set("Width", "")
    desk.set("Height", "")
    desk.page.get_by_role("button", name="Start from noise").click()


def test_masks_of_another_size_are_said_and_stretched_all_at_once(
    desk: Studio, home: Path, tmp_path: Path
) -> None:
    """Also one that is black all over: its row goes on acting nowhere."""
    desk.use(["a cat face", "a dog face", "a rocket"])
    page = desk.page
    for index, colour in ((0, 255), (1, 0)):
        mask = tmp_path / f"{index}.png"
        picture = Image.new("L", (256, 256))
        picture.paste(colour, (0, 0, 128, 256))
        picture.save(mask)
        desk.press(index, "More: adapters")
        desk.card(index).locator(".gs-masking input[type=file]").set_input_files(mask)
        page.wait_for_function(
            "(at) => studio.stack.cards[at]?.row.mask.startsWith('inputs/')", arg=index
        )
    before = [row["mask"] for row in desk.rows()]
    desk.set("Width", "384")
    told = "masks of rows 1, 2 are 256x256 and do not fit the picture, 384x256"
    desk.says(told, "#gs-plan .gs-cost")
    page.get_by_role("button", name="Masks", exact=True).click()
    dialog = page.locator("dialog.gs-painter")
    desk.says("Masks of another size are stretched to this one", "dialog .gs-work-note")
    dialog.get_by_role("button", name="Use masks").click()
    page.wait_for_function("(mask) => studio.stack.cards[0]?.row.mask !== mask", arg=before[0])
    after = [row["mask"] for row in desk.rows()]
    sizes = [Image.open(home / mask).size for mask in after[:2]]
    assert sizes == [(384, 256)] * 2 and after[2] == ""
    assert white(home, after[0]).any() and not white(home, after[1]).any()
    page.wait_for_function("!document.querySelector('#gs-plan')?.innerText.includes('do not fit')")
    page.locator(".gs-undo button").first.click()
    page.wait_for_function("(mask) => studio.stack.cards[0]?.row.mask === mask", arg=before[0])
    assert [row["mask"] for row in desk.rows()] == before  # both in one step
    desk.says(told, "#gs-plan .gs-cost")
    desk.set("Width", "")


def test_a_start_mask_stays_where_it_fits_the_next_picture(desk: Studio, tmp_path: Path) -> None:
    desk.use(["a cat face"])
    page = desk.page
    desk.unfold("Advanced")
    pickers = page.locator("#gs-start .gs-thumb")

    def start(name: str, size: tuple[int, int], at: int = 0) -> str:
        path = tmp_path / name
        Image.new("RGB", size, (len(name), *size)).save(path)  # no two are the same
        field = "mask" if at else "image"
        before = page.evaluate("studio.start.init") or {}
        with page.expect_file_chooser() as chooser:  # a press, which is a step of its own
            pickers.nth(at).click()
        chooser.value.set_files(path)
        page.wait_for_function(
            "([field, before]) => studio.start.init?.[field] && studio.start.init[field] !== before",
            arg=[field, before.get(field, "")],
        )
        return page.evaluate("studio.start.init")[field]

    first = start("a.png", (96, 96))
    mask = start("mask.png", (64, 64), 1)
    start("bb.png", (128, 128))
    assert page.evaluate("studio.start.init")["mask"] == mask
    start("ccc.png", (128, 64))
    desk.says("The mask was taken off", ".gs-toast")
    assert page.evaluate("studio.start.init")["mask"] == ""
    desk.rest()
    page.keyboard.press("Control+z")
    page.wait_for_function("(mask) => studio.start.init?.mask === mask", arg=mask)
    assert page.evaluate("studio.start.init")["image"] != first
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
