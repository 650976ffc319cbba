"""The masks of all rows over one picture, painted each in its own colour, and whether masks fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.painted import white
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


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
