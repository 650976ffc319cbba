"""Presets in a real browser: files, links, reloads, and what is no preset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.studio_page import Studio

pytestmark = pytest.mark.browser


def test_preset_goes_out_as_json_and_comes_back(studio: Studio, tmp_path: Path) -> None:
    studio.open().use(["a tree AND in flat style"])
    studio.weigh(0, 6.5)
    studio.tab("Presets")
    with studio.page.expect_download() as waiting:
        studio.page.click("#gs-download")
    path = tmp_path / "mine.json"
    waiting.value.save_as(path)
    assert json.loads(path.read_text())["rows"][0]["weight"] == 6.5
    studio.use(["other"])
    # Dropped anywhere on the page, as from a file manager.
    transfer = studio.page.evaluate_handle(
        "(text) => { const t = new DataTransfer(); t.items.add(new File([text], 'mine.json',"
        " {type: 'application/json'})); return t; }",
        path.read_text(),
    )
    studio.page.dispatch_event("h1", "drop", {"dataTransfer": transfer})
    studio.page.wait_for_function(
        "studio.stack.cards[0]?.row.prompt === 'a tree AND in flat style'"
    )
    assert studio.rows()[0]["weight"] == 6.5


def test_link_opens_the_same_preset(studio: Studio, browser: Any) -> None:
    studio.open().use(["a link to this"])
    studio.weigh(0, -7)
    studio.page.on("dialog", lambda dialog: dialog.dismiss())
    studio.page.click("#gs-link")
    studio.page.wait_for_function("typeof studio.link === 'string'")
    link = studio.page.evaluate("studio.link")
    page = browser.new_page()
    page.goto(link)
    page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'a link to this'")
    assert page.evaluate("studio.stack.cards[0].row.weight") == -7
    page.close()


def test_a_preset_is_copied_as_code_and_as_a_command_line(studio: Studio) -> None:
    page = studio.open().page
    page.evaluate(  # what a page may write there depends on the browser's permissions
        "void (navigator.clipboard.writeText = async (text) => { window.copied = text; })"
    )
    studio.use(["a tree in flat style"])
    studio.weigh(0, 6.5)
    page.click("#gs-code")
    page.wait_for_function("window.copied?.includes('guidance_scale=6.5')")
    assert "prompt='a tree in flat style'" in page.evaluate("copied")
    studio.tab("Presets")
    page.click("#gs-command")
    page.wait_for_function("copied.startsWith('python -m studio generate -')")
    page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject('closed'))")
    with page.expect_download() as waiting:  # where the clipboard is closed to it
        page.click("#gs-command")
    assert waiting.value.suggested_filename == "picture.sh"


def test_nothing_is_lost_on_reload(studio: Studio) -> None:
    studio.open().use(["kept over a reload"])
    studio.page.wait_for_timeout(600)
    studio.page.reload()
    studio.page.wait_for_function(
        "window.studio?.stack?.cards[0]?.row.prompt === 'kept over a reload'"
    )


def test_bad_file_is_one_toast_and_nothing_is_lost(studio: Studio, tmp_path: Path) -> None:
    studio.open().use(["still here"])
    bad = tmp_path / "bad.json"
    bad.write_text('{"rows": [{"prompt": "x", "wieght": 1}]}')
    studio.load(bad)
    toast = studio.page.locator(".toast-body").first
    toast.wait_for()
    assert "rows.0.wieght" in toast.inner_text() and "Traceback" not in toast.inner_text()
    assert [row["prompt"] for row in studio.rows()] == ["still here"]


def test_own_presets_come_first_and_are_renamed_searched_and_deleted(
    studio: Studio, home: Path
) -> None:
    page = studio.open().page
    studio.use(["a cat"])
    page.get_by_label("Preset", exact=True).fill("Zebra of mine")
    studio.tab("Presets")
    page.click("#gs-save")
    first = page.locator(".gs-presets > *").first
    page.wait_for_function(
        "document.querySelector('.gs-presets > *')?.innerText.includes('Zebra of mine')"
    )
    page.once("dialog", lambda dialog: dialog.accept("Yak of mine"))
    first.get_by_role("button", name="Rename Zebra of mine").click()
    page.wait_for_function("document.querySelector('.gs-own')?.innerText.includes('Yak')")
    assert any("Yak" in path.read_text() for path in (home / "presets").glob("*.json"))
    page.get_by_role("searchbox", name="Search presets").fill("yak")
    assert page.locator(".gs-presets > *:not([hidden])").count() == 1
    page.once("dialog", lambda dialog: dialog.accept())
    first.get_by_role("button", name="Delete Yak of mine").click()
    page.wait_for_function("!document.querySelector('.gs-presets').innerText.includes('Yak')")
    assert not any("Yak" in path.read_text() for path in (home / "presets").glob("*.json"))


def test_a_presets_picture_stands_in_for_the_result_and_says_so(studio: Studio) -> None:
    page = studio.open().page
    studio.tab("Presets")
    page.locator(".gs-preset").filter(has=page.locator("img")).first.click()
    studio.tab("Result")
    page.wait_for_function(
        "document.querySelector('.gs-thumbnail')?.innerText.includes('own picture')"
    )
