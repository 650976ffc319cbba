"""Explain this picture in a browser: strips, chart, and the picture without a row beside it."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_what_each_row_did_and_the_picture_without_one(desk: Studio) -> None:
    desk.use(["a cat face", "on a green background"], steps=3)
    desk.weigh(1, -2)
    desk.generate()
    page = desk.page
    other = page.locator('.gs-moment .gs-picture[title$="without row 2"]')
    page.locator(".gs-stage").get_by_role("button", name="Explain this picture").click()
    panel = page.locator("dialog.gs-explain")
    panel.locator('.gs-explain-status[data-state="done"]').wait_for(state="attached")
    expect(page.locator(":focus")).to_have_attribute("aria-label", "Close")  # Stop is gone
    titles = panel.locator(".gs-explain-title").all_inner_texts()
    assert titles[1:3] == ["row 1 (5): a cat face", "row 2 (−2): on a green background"]
    expect(panel.locator(".gs-explain-strip img")).to_have_count(4 * 3)
    expect(panel.locator(".gs-explain-line")).to_have_count(2)
    expect(other).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "(() => { const n = document.querySelector('dialog.gs-explain');"
        "return n.scrollWidth <= n.clientWidth && document.documentElement.scrollWidth <= 390; })()"
    )
    page.set_viewport_size({"width": 1440, "height": 950})
    panel.get_by_role("button", name="Without this row").last.click()
    compared = page.locator(".gs-compare-dialog")
    compared.get_by_text("row 2 muted").wait_for()
    for dialog in (compared, panel):
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
    other.wait_for()


def test_a_page_that_is_loaded_anew_says_that_its_explanation_is_gone(desk: Studio) -> None:
    desk.use(["a cat face"], steps=200)
    desk.generate()
    page = desk.page
    lost = "The page was loaded anew: the explanation that was being made is gone"
    page.locator(".gs-stage").get_by_role("button", name="Explain this picture").click()
    expect(page.locator(".gs-explain-status")).to_contain_text("of 200")
    page.reload()
    desk.says(lost, ".gs-around")
    page.reload()
    page.wait_for_function("document.querySelector('#gs-progress .gs-progress')")
    desk.says("a cat face", ".gs-equation")
    expect(page.locator(".gs-around")).not_to_contain_text(lost)  # said once
