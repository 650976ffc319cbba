"""The History tab in a real browser: made, found, starred, compared, deleted, used again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.preset import validate
from studio.share import save_image
from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser
RED = "rgb(185, 28, 28)"
CLEAR = "rgba(0, 0, 0, 0)"


@pytest.fixture(scope="module")
def pictures(home: Path) -> Iterator[Path]:
    folder = home / "outputs" / "earlier"
    for seed in range(130):
        rows = [{"prompt": f"zebra number{seed}", "weight": 1.0 + seed}]
        preset = validate({"name": f"Zebra {seed}", "rows": rows, "sampler": {"seed": seed}})
        save_image(Image.new("RGB", (32, 32), (seed, 90, 200)), preset, folder)
    other = home / "outputs" / "other"  # so that a search is seen to leave something out
    save_image(Image.new("RGB", (32, 32)), validate({"rows": [{"prompt": "a horse"}]}), other)
    yield folder
    for one in (folder, other):
        shutil.rmtree(one)  # other tests look at the newest picture


@pytest.mark.timeout(300)
def test_what_is_said_of_pictures_is_kept_or_refused_where_it_is_written(
    studio: Studio, pictures: Path
) -> None:
    page = studio.open().tab("History")
    page.get_by_label("Search the history").fill("zebra number9")
    page.get_by_text("11 pictures", exact=True).wait_for()  # 9, and 90 to 99
    for seed in (90, 91):
        page.get_by_label(f"Choose Zebra {seed}").check(force=True)

    def put(button: str, title: str, text: str, act: str) -> Any:
        page.get_by_role("button", name=button).click()
        asked = page.get_by_role("dialog", name=title)
        asked.get_by_role("textbox").or_(asked.get_by_role("combobox")).fill(text)
        asked.get_by_role("button", name=act).click()
        return asked

    def tag(text: str) -> Any:
        return put("Tag …", "Tags for 2 pictures", text, "Add them")

    asked = tag("y" * 101)
    expect(asked.get_by_role("alert")).to_contain_text("101 characters: at most 100")
    page.once("dialog", lambda asks: asks.accept())
    page.keyboard.press("Escape")
    tag("striped")
    page.locator("select[aria-label=Tag] option", has_text="striped (2)").wait_for(state="attached")
    said = page.locator(".gs-toasts")
    expect(said).to_contain_text("Tags “striped”: 2 pictures")
    tag("fast, striped")
    page.locator("select[aria-label=Tag] option", has_text="fast (2)").wait_for(state="attached")
    put("Board …", "A board for 2 pictures", "farm", "Put on it")
    expect(said).to_contain_text("On the board “farm”: 2 pictures")
    page.locator("select[aria-label=Board] option", has_text="farm (2)").wait_for(state="attached")
    page.get_by_role("button", name="Board …").click()
    offered = page.get_by_role("dialog", name="A board for").locator("datalist option")
    expect(offered).to_have_attribute("value", "farm")
    page.keyboard.press("Escape")
    page.locator('.gs-cell-open[aria-label="Zebra 90"]').click()
    dialog = page.locator(".gs-history-dialog")
    expect(dialog.get_by_label("Tags")).to_have_value("striped, fast")  # none has gone
    for label, bad, good, said in (
        ("Note", "x" * 10_001, "mine", "10001 characters: at most 10000, take away 1"),
        ("Tags", "y" * 101, "fast", "“yyyyyyyyyyyyyyyyyyyy…”: 101 characters: at most 100"),
        ("Board", "z" * 101, "zoo", "101 characters: at most 100, take away 1"),
    ):
        box = dialog.get_by_label(label)
        box.fill(bad)
        fault = dialog.locator(".gs-error:not([hidden])")
        expect(fault).to_contain_text(said)
        expect(fault).to_have_css("color", RED)
        expect(box).to_have_attribute("aria-invalid", "true")
        page.once("dialog", lambda asks: asks.dismiss())  # not without it being said
        page.keyboard.press("Escape")
        expect(box).to_be_focused()
        box.fill(good)
        expect(fault).to_have_count(0)
    page.keyboard.press("Escape")  # out of the last of them
    expect(page.get_by_role("alert").filter(has_text="at most")).to_have_count(0)
    page.locator("select[aria-label=Board] option", has_text="zoo (1)").wait_for(state="attached")
    # Its place in the grid was drawn anew under the dialog, and has the keyboard all the same.
    expect(page.locator('.gs-cell-open[aria-label="Zebra 90"]')).to_be_focused()
    page.keyboard.press("Delete")  # of two that are chosen
    page.get_by_text("1 chosen", exact=True).wait_for()
    strip = page.locator(".gs-moment", has=page.locator('img[alt="Zebra 90"]'))
    expect(strip).to_have_count(0)  # beside the picture too
    page.get_by_role("button", name="Undo", exact=True).click()
    page.wait_for_function("document.activeElement !== document.body")  # it does not go with it
    page.locator('.gs-cell-open[aria-label="Zebra 90"]').wait_for()
    expect(strip).to_have_count(1)
    page.locator('.gs-cell-open[aria-label="Zebra 90"]').press("s")
    expect(strip.locator(".gs-cell-star")).to_have_count(1)
    page.locator('.gs-cell-open[aria-label="Zebra 91"]').click()
    dialog.get_by_label("Note").press_sequentially("half typed")
    page.reload()  # a text is kept when one leaves its field, and this leaves none
    page = studio.tab("History")
    page.get_by_label("Search the history").fill("half typed")
    page.locator('.gs-cell-open[aria-label="Zebra 91"]').wait_for()


@pytest.mark.timeout(300)
def test_a_choice_outlives_a_search_and_a_picture_is_dragged_onto_a_row(
    studio: Studio, pictures: Path
) -> None:
    page = studio.open().tab("History")
    search = page.get_by_label("Search the history")
    actions = page.locator(".gs-history-actions")
    search.fill("zebra number5")
    page.get_by_text("11 pictures", exact=True).wait_for()
    for seed in (50, 51):
        page.get_by_label(f"Choose Zebra {seed}").check(force=True)
    search.fill("zebra number51")
    expect(actions).to_contain_text("2 chosen1 of them not shown")
    chosen = page.get_by_label("Choose Zebra 51")
    expect(chosen).to_be_checked()
    expect(chosen).not_to_have_css("background-color", CLEAR)  # a white tick, on white pictures too
    search.fill("zebra number6")
    expect(actions).to_contain_text("2 chosen2 of them not shown")
    actions.get_by_role("button", name="Compare").click()
    compared = page.locator(".gs-compare-dialog")
    captions = compared.locator("figcaption")
    for mode in ("Slider", "Difference"):
        compared.get_by_role("button", name=mode).click()
        for place in (0, 1):  # each is read below the pictures, beside the other
            expect(captions.nth(place)).to_be_visible()
            expect(captions.nth(place)).to_contain_text(f"Zebra {(50, 51)[place]}")
        page.wait_for_function(
            """() => {
                const box = (name) => [...document.querySelectorAll(name)]
                    .map((node) => node.getBoundingClientRect());
                const [one, two] = box(".gs-compare figcaption");
                const [frame, other] = box(".gs-compare-frame");
                return frame.left === other.left && frame.top === other.top && frame.width > 300
                    && one.top >= frame.bottom && one.right <= two.left && two.right <= frame.right + 1;
            }"""
        )
    stage = compared.get_by_role("group", name="Pictures")
    stage.press("+")
    for picture in compared.locator("img").all():  # together
        expect(picture).to_have_css("transform", re.compile(r"matrix\(1\.2, 0, 0, 1\.2, .*"))
    stage.press("0")
    expect(compared.locator("img").first).to_have_css("transform", "matrix(1, 0, 0, 1, 0, 0)")
    captions.nth(1).get_by_role("button", name="Star", exact=True).click()  # the better one
    compared.get_by_role("button", name="Close").click()
    search.fill("zebra number51")
    page.locator('.gs-cell-open[aria-label="Zebra 51, starred"]').wait_for()
    page.locator('.gs-cell-open[aria-label="Zebra 51, starred"]').press("s")  # as it was
    search.fill("zebra number6")
    actions.get_by_role("button", name="Compare").click()
    captions.nth(1).get_by_role("button", name="Use again").click()
    studio.has_rows(["zebra number51"])
    expect(compared).to_have_count(0)
    (file,) = pictures.glob("*-seed51-*")
    kept = file.read_bytes()
    file.unlink()
    actions.get_by_role("button", name="Compare").click()
    compared.get_by_text("The picture's file is not there.").wait_for()
    file.write_bytes(kept)
    compared.get_by_role("button", name="Close").click()
    actions.get_by_role("button", name="Choose none").click()
    expect(actions).not_to_contain_text("chosen")
    # A range by Shift, over what lies between; and all that is found.
    cells = page.locator("#gs-history-view .gs-cell-open")
    cells.nth(1).click(modifiers=["Control"])
    cells.nth(4).click(modifiers=["Shift"])
    expect(actions).to_contain_text("4 chosen")
    page.locator(".gs-cell-choose").nth(6).click(modifiers=["Shift"], force=True)
    expect(actions).to_contain_text("6 chosen")
    actions.get_by_role("button", name="Choose none").click()
    actions.get_by_role("button", name="Choose all").click()
    expect(actions).to_contain_text("11 chosen")
    actions.get_by_role("button", name="Choose none").click()
    page.locator('.gs-cell-open[aria-label="Zebra 6"]').drag_to(studio.card(0))
    page.wait_for_function(
        "studio.stack.cards[0]?.row.control?.image.startsWith('inputs/')", polling=100
    )
    page.locator('.gs-cell-open[aria-label="Zebra 60"]').drag_to(page.locator("#gs-dock"))
    uses = page.locator("dialog.gs-uses")
    uses.get_by_role("button", name="Load its preset").click()
    studio.has_rows(["zebra number60"])


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (1024, 768)])
def test_the_pictures_alone_scroll_beside_the_form(
    studio: Studio, pictures: Path, size: tuple[int, int]
) -> None:
    """And not the column around them too."""
    studio.page.set_viewport_size({"width": size[0], "height": size[1]})
    page = studio.open().tab("History")
    page.locator(".gs-cell-open").first.wait_for()
    scrolls = """() => [...document.querySelectorAll("#gs-right, #gs-right *")]
        .filter((node) => /auto|scroll/.test(getComputedStyle(node).overflowY))
        .filter((node) => node.clientHeight && node.scrollHeight > node.clientHeight)
        .map((node) => node.id || node.className)"""
    page.wait_for_function(f"({scrolls})().join() === 'gs-virtual'", polling=100)
    column = page.locator("#gs-right").bounding_box()
    grid = page.locator(".gs-virtual").bounding_box()
    assert grid["height"] >= 240
    below = column["y"] + size[1] - 16 - grid["y"] - grid["height"]
    assert 0 <= below < 20  # and they have all of the room


@pytest.mark.timeout(600)
def test_an_hour_with_the_history(studio: Studio, pictures: Path) -> None:
    studio.open()
    page = studio.tab("History")
    search = page.get_by_label("Search the history")
    search.fill("zebra")
    page.wait_for_function(
        "document.querySelector('.gs-history-count')?.textContent === '130 pictures'"
    )
    # All of them can be reached, and few are in the document.
    page.locator(".gs-virtual").evaluate("(grid) => void (grid.scrollTop = 1e6)")
    page.wait_for_selector('.gs-cell-open[aria-label="Zebra 0"] img')
    page.wait_for_function("document.querySelectorAll('.gs-cell').length < 80")

    search.fill("zebra number7")
    page.wait_for_function(
        "document.querySelector('.gs-history-count')?.textContent === '11 pictures'"
    )
    page.locator('.gs-cell-open[aria-label="Zebra 7"]').click()
    dialog = page.locator(".gs-history-dialog")
    dialog.get_by_label("Note").fill("the lucky one")
    dialog.get_by_role("button", name="Star").click()
    page.wait_for_selector('.gs-cell-open[aria-label="Zebra 7, starred"]')
    dialog.get_by_role("button", name="Use again").click()
    page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'zebra number7'")
    assert studio.rows()[0]["weight"] == 8.0
    page.locator('.gs-cell-open[aria-label="Zebra 70"]').click()
    expect(dialog.locator("a[download]")).to_have_attribute("download", re.compile("seed70.*png"))
    dialog.get_by_role("button", name="Copy for A1111").click()
    studio.says("A1111's text copied", ".gs-toast")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("zebra number70\n") and "Seed: 70" in copied
    dialog.get_by_role("button", name="Use the picture").click()
    page.locator("dialog.gs-uses").get_by_role("button", name="Reuse its seed").click()
    page.wait_for_function(
        "document.querySelector('#gs-field-seed .gs-number')?.value === '70'", polling=100
    )

    search.fill("lucky")
    page.wait_for_function(
        "document.querySelector('.gs-history-count')?.textContent === '1 picture'"
    )
    search.fill("zebra number7")
    page.wait_for_function(
        "document.querySelector('.gs-history-count')?.textContent === '11 pictures'"
    )
    for name in ("Choose Zebra 70", "Choose Zebra 71"):
        page.get_by_label(name).check(force=True)
    page.get_by_role("button", name="Compare").click()
    compared = page.locator(".gs-compare-dialog")
    compared.get_by_text("weight of row 1: 71 → 72").wait_for()
    compared.get_by_role("button", name="Close").click()
    page.locator(".gs-history-actions").get_by_role("button", name="Delete").click()
    page.wait_for_function(
        "document.querySelector('.gs-history-count')?.textContent === '9 pictures'"
    )
    page.get_by_role("button", name="Undo", exact=True).click()
    page.wait_for_function(
        "document.querySelector('.gs-history-count')?.textContent === '11 pictures'"
    )
    assert len(list(pictures.iterdir())) == 130
