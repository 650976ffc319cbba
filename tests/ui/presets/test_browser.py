"""Presets in a real browser: files, links, reloads, and what is no preset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.studio_page import PATIENCE, Studio, expect

pytestmark = pytest.mark.browser


def test_preset_goes_out_as_json_and_comes_back(desk: Studio, tmp_path: Path) -> None:
    desk.use(["a tree AND in flat style"])
    desk.weigh(0, 6.5)
    desk.tab("Presets")
    with desk.page.expect_download() as waiting:
        desk.page.click("#gs-download")
    path = tmp_path / "mine.json"
    waiting.value.save_as(path)
    assert json.loads(path.read_text())["rows"][0]["weight"] == 6.5
    desk.use(["other"])
    # Dropped anywhere on the page, as from a file manager.
    transfer = desk.page.evaluate_handle(
        "(text) => { const t = new DataTransfer(); t.items.add(new File([text], 'mine.json',"
        " {type: 'application/json'})); return t; }",
        path.read_text(),
    )
    desk.page.dispatch_event("h1", "drop", {"dataTransfer": transfer})
    desk.page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a tree AND in flat style'")
    assert desk.rows()[0]["weight"] == 6.5


def test_prompts_are_kept_as_a_style_laid_over_others_renamed_and_deleted(
    desk: Studio, tmp_path: Path
) -> None:
    desk.use([""])
    desk.tab("Presets")
    desk.page.click("#gs-keep-style")  # no name is asked where there is nothing to keep
    desk.says("There is nothing to keep as a style", ".gs-toast")
    desk.use(["at dusk"])
    desk.tab("Presets")
    desk.page.fill("#gs-name textarea, #gs-name input", "Dusk")
    desk.page.click("#gs-keep-style")
    asked = desk.page.locator("dialog.gs-texts")
    name = asked.get_by_label("Name of the style")
    expect(name).to_have_value("Dusk")  # the preset's
    name.fill("")
    asked.get_by_role("button", name="Keep it").click()
    expect(asked).to_contain_text("A style needs a name")
    name.fill("Evening")
    asked.get_by_role("button", name="Keep it").click()
    desk.page.wait_for_selector("#gs-styles [data-id='Evening']")
    desk.page.click("#gs-keep-style")
    name.fill("evening")
    asked.get_by_role("button", name="Keep it").click()
    expect(asked).to_contain_text("There is a style evening already")
    desk.page.once("dialog", lambda question: question.accept())
    asked.get_by_role("button", name="Cancel").click()
    expect(desk.page.locator("#gs-styles [data-id]")).to_have_count(1)
    desk.use(["a tree"])
    desk.tab("Result")
    desk.page.get_by_role("button", name="Styles", exact=True).click()
    expect(desk.page.get_by_role("searchbox", name="Search styles")).to_be_focused()
    desk.page.click("#gs-styles [data-id='Evening']")
    desk.page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a tree, at dusk'")
    table = tmp_path / "styles.csv"
    table.write_text("name,prompt,negative_prompt\nInk,in ink,\n,odd,\n")
    desk.load(table)
    desk.page.wait_for_selector("#gs-styles [data-id='Ink']")
    desk.says("a style without a name", ".gs-notices")
    desk.says("1 style taken: Ink; it stands below the presets", ".toast-wrap")
    shelf = desk.page.locator("#gs-styles")
    desk.page.once("dialog", lambda dialog: dialog.accept())
    shelf.get_by_role("button", name="Delete Ink").click()  # one of a table, which stays
    desk.page.wait_for_selector("#gs-styles [data-id='Ink']", state="detached")
    shelf.get_by_role("button", name="Edit Evening").click()
    dialog = desk.page.locator("dialog.gs-texts")
    dialog.get_by_label("Name", exact=True).fill("Night")
    text = dialog.get_by_label("Prompt", exact=True)
    expect(text).to_have_value("at dusk")
    text.fill("")
    dialog.get_by_role("button", name="Keep it").click()  # refused, it stays open
    expect(dialog).to_contain_text("there is no text and no row to keep")
    text.fill("at night")
    desk.page.once("dialog", lambda question: question.dismiss())
    desk.page.keyboard.press("Escape")  # nothing that was written goes without a word
    dialog.get_by_role("button", name="Keep it").click()
    night = desk.page.locator("#gs-styles [data-id='Night']")
    expect(night).to_contain_text("at night")
    desk.page.once("dialog", lambda dialog: dialog.accept())
    shelf.get_by_role("button", name="Delete Night").click()
    desk.page.wait_for_selector("#gs-styles [data-id='Night']", state="detached")


def test_styles_pressed_faster_than_they_are_answered_are_all_laid_over(
    desk: Studio, tmp_path: Path
) -> None:
    table = tmp_path / "styles.csv"
    table.write_text("name,prompt,negative_prompt\nOne,first,\nTwo,second,\nThree,third,\n")
    desk.load(table)
    desk.page.wait_for_selector("#gs-styles [data-id='Three']")
    desk.use(["a tree"])
    desk.tab("Presets")
    desk.page.evaluate(
        """async () => {
            for (const id of ["One", "Two", "Three"]) {
                document.querySelector(`#gs-styles [data-id='${id}']`).click();
                await new Promise((done) => setTimeout(done, 30));
            }
        }"""
    )
    desk.has_rows(["a tree, first, second, third"])
    desk.page.click("#gs-styles [data-id='Two']")
    desk.page.get_by_role("button", name="Take it off").click()
    desk.has_rows(["a tree, first, third"])
    desk.says("is taken off the rows", ".toast-body")
    expect(desk.page.locator(".gs-notices[data-of=done]")).to_have_count(0)


def test_a_style_is_kept_with_its_rows_and_adds_them(desk: Studio) -> None:
    desk.use(["a cat", "blurry", "at sea"])
    desk.weigh(1, -2)
    desk.weigh(2, 3)
    desk.tab("Presets")
    desk.page.fill("#gs-name textarea, #gs-name input", "Sea")
    desk.page.click("#gs-keep-rows")
    desk.page.locator("dialog.gs-texts").get_by_role("button", name="Keep it").click()
    desk.page.wait_for_selector("#gs-styles [data-id='Sea']")
    desk.use(["a tree"])
    desk.weigh(0, 4)
    desk.tab("Presets")
    desk.page.click("#gs-styles [data-id='Sea']")
    desk.has_rows(["a tree, a cat", "blurry", "at sea"])
    assert [row["weight"] for row in desk.rows()] == [4, -3, 3]
    desk.page.once("dialog", lambda dialog: dialog.accept())
    desk.page.locator("#gs-styles").get_by_role("button", name="Delete Sea").click()
    desk.page.wait_for_selector("#gs-styles [data-id='Sea']", state="detached")


def test_link_opens_the_same_preset(desk: Studio, browser: Any) -> None:
    desk.use(["a link to this"])
    desk.weigh(0, -7)
    desk.page.evaluate("void (navigator.clipboard.writeText = async () => {})")
    desk.page.click("#gs-link")
    desk.page.wait_for_function("typeof studio.link === 'string'")
    link = desk.page.evaluate("studio.link")
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(link)
    page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'a link to this'")
    page.wait_for_function("studio.stack.cards[0]?.row.weight === -7")
    page.close()


def test_a_preset_is_copied_as_code_and_as_a_command_line(desk: Studio) -> None:
    page = desk.page
    page.evaluate(  # what a page may write there depends on the browser's permissions
        "void (navigator.clipboard.writeText = async (text) => { window.copied = text; })"
    )
    desk.use(["a tree in flat style"])
    desk.weigh(0, 6.5)
    page.click("#gs-code")
    page.wait_for_function("window.copied?.includes('guidance_scale=6.5')")
    assert "prompt='a tree in flat style'" in page.evaluate("copied")
    desk.tab("Presets")
    page.click("#gs-command")
    page.wait_for_function("copied.startsWith('python -m studio generate -')")
    page.click("#gs-a1111")
    page.wait_for_function("copied.startsWith('a tree in flat style\\nSteps: 4, ')")
    page.click("#gs-qr")
    code = page.locator("dialog.gs-qr")
    expect(code.get_by_role("img", name="QR code of the link")).to_be_visible()
    expect(code).to_contain_text("this machine alone")
    code.get_by_role("button", name="Close").click()
    expect(code).to_have_count(0)
    page.evaluate("studio.stack.cards[0].row.mask = 'inputs/lost.png'; void studio.stack.commit()")
    page.wait_for_function("sessionStorage['guidance-studio-tab']?.includes('inputs/lost.png')")
    page.click("#gs-command")
    desk.says("Command line copied, but row 1, mask: there is no image", ".gs-toast")
    page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject('closed'))")
    with page.expect_download() as waiting:  # where the clipboard is closed to it
        page.click("#gs-command")
    assert waiting.value.suggested_filename == "picture.sh"


def test_bad_file_is_one_toast_and_nothing_is_lost(desk: Studio, tmp_path: Path) -> None:
    desk.use(["still here"])
    bad = tmp_path / "bad.json"
    bad.write_text('{"rows": [{"prompt": "x", "wieght": 1}]}')
    desk.load(bad)
    toast = desk.page.locator(".toast-body").filter(has_text="rows.0.wieght")
    toast.wait_for()
    expect(toast).to_have_count(1)
    expect(toast).not_to_contain_text("Traceback")
    assert [row["prompt"] for row in desk.rows()] == ["still here"]


def test_own_presets_come_first_and_are_renamed_searched_and_deleted(
    desk: Studio, home: Path
) -> None:
    page = desk.page
    desk.use(["a cat"])
    page.get_by_label("Preset", exact=True).fill("Zebra of mine")
    desk.tab("Presets")
    page.wait_for_selector(".gs-edited")
    page.click("#gs-save")
    page.wait_for_selector("#gs-heading:not(.gs-edited)")  # it is a preset again
    first = page.locator("#gs-shelf .gs-presets > *").first
    page.wait_for_function(
        "document.querySelector('#gs-shelf .gs-presets > *')?.innerText.includes('Zebra of mine')"
    )
    page.once("dialog", lambda dialog: dialog.accept("Yak of mine"))
    first.get_by_role("button", name="Rename Zebra of mine").click()
    page.wait_for_function("document.querySelector('.gs-own')?.innerText.includes('Yak')")
    focused = page.locator(":focus")  # where it was, though the shelf is drawn anew
    expect(focused).to_have_attribute("aria-label", "Rename Yak of mine")
    assert any("Yak" in path.read_text() for path in (home / "presets").glob("*.json"))
    page.once("dialog", lambda dialog: dialog.accept(""))
    first.get_by_role("button", name="Rename Yak of mine").click()
    desk.says("give the preset a name", ".toast-body")
    desk.use(["a tree"])
    desk.tab("Presets")
    for answer in ("dismiss", "accept"):  # it is asked about first
        page.once("dialog", lambda dialog, do=answer: getattr(dialog, do)())
        first.get_by_role("button", name="Replace Yak of mine with the form").click()
    desk.says("Replaced Yak of mine", ".gs-toast")
    (yak,) = (p for p in (home / "presets").glob("*.json") if "Yak" in p.read_text())
    assert json.loads(yak.read_text())["rows"][0]["prompt"] == "a tree"
    page.get_by_role("searchbox", name="Search presets").fill("no such preset")
    desk.says("None of the presets matches.", "#gs-shelf .gs-empty")
    page.get_by_role("searchbox", name="Search presets").fill("yak")
    expect(page.locator("#gs-shelf .gs-presets > *:not([hidden])")).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    first.get_by_role("button", name="Delete Yak of mine").click()
    page.wait_for_function(
        "document.querySelector('#gs-shelf .gs-presets')?.innerText.includes('Yak') === false"
    )
    assert not any("Yak" in path.read_text() for path in (home / "presets").glob("*.json"))
    gone = page.locator(".gs-toast").filter(has_text="Deleted Yak of mine")
    gone.get_by_role("button", name="Undo").click()  # it comes back, and goes again
    first.get_by_role("button", name="Delete Yak of mine").wait_for()
    page.once("dialog", lambda dialog: dialog.accept())
    first.get_by_role("button", name="Delete Yak of mine").click()
    expect(page.locator(".gs-own").filter(has_text="Yak")).to_have_count(0)
    page.get_by_role("searchbox", name="Search presets").fill("")


def test_a_preset_that_went_elsewhere_leaves_the_shelf_once_that_is_said(
    desk: Studio, home: Path
) -> None:
    page = desk.page
    page.get_by_label("Preset", exact=True).fill("Gnu of mine")
    desk.tab("Presets")
    page.click("#gs-save")
    replace = page.get_by_role("button", name="Replace Gnu of mine with the form")
    replace.wait_for()
    (gnu,) = (p for p in (home / "presets").glob("*.json") if "Gnu" in p.read_text())
    gnu.unlink()
    page.once("dialog", lambda dialog: dialog.accept())
    replace.click()
    page.locator(".toast-body").filter(has_text="it is not there any more").wait_for()
    expect(replace).to_have_count(0)


def test_a_presets_picture_stands_in_for_the_result_and_says_so(desk: Studio) -> None:
    page = desk.page
    desk.tab("Presets")
    page.locator("#gs-shelf .gs-preset").filter(has=page.locator("img")).first.click()
    desk.tab("Result")
    page.wait_for_function(
        "document.querySelector('.gs-thumbnail')?.innerText.includes('own picture')"
    )


def test_of_two_presets_pressed_before_an_answer_the_last_stands(studio: Studio) -> None:
    page = studio.open().page
    studio.tab("Presets")
    cards = page.locator("#gs-shelf .gs-preset")
    first, last = (cards.filter(has_text=title) for title in ("A negative row", "Two halves"))
    last.wait_for()
    held, free = [], []
    page.route("**/queue/join*", lambda route: route.continue_() if free else held.append(route))
    first.click()
    studio.rest(300)
    last.click()
    studio.rest(300)
    free.append(True)
    for route in held:
        route.continue_()
    expect(page.locator("#gs-name").get_by_role("textbox")).to_have_value("Two halves")
