"""Which ω for my LoRA: three presses on the page."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def _with_lora(studio: Studio) -> Any:
    studio.open()
    studio.use(["a hero on a yellow background"], steps=1)
    page = studio.page
    value = '["lora","starter/lora-hero"]'
    page.locator(".gs-model").first.select_option(value)
    page.wait_for_selector("#gs-tradeoff .gs-which:visible")
    return page


def test_it_is_offered_where_a_row_is_personalised(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat face"], steps=1)
    page.wait_for_selector("#gs-tradeoff .gs-which", state="hidden")
    _with_lora(studio)
    page.click("#gs-tradeoff .gs-which")
    page.wait_for_function(
        "document.querySelector('.gs-subject-said')?.textContent.includes('6 pictures')"
    )
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= 390")


def test_three_presses_to_a_setting(studio: Studio) -> None:
    """Slow for a test: it makes and scores twelve pictures, as a person would."""
    page = _with_lora(studio)
    page.click("#gs-tradeoff .gs-which")
    studio.set("Pictures to make", "12")
    page.click("#gs-tradeoff .gs-search")
    page.wait_for_selector('.gs-tradeoff-status[data-state="done"]', timeout=100_000)
    page.locator(".gs-dot").nth(2).wait_for()
    front = page.locator(".gs-front-card")
    front.last.wait_for()
    text = front.last.inner_text()
    front.last.click()
    wanted = float(text.split("ω")[1].split()[0])
    page.wait_for_function(
        "(wanted) => Number(document.querySelector('#gs-field-omega .gs-number')?.value) === wanted",
        arg=wanted,
    )
    dot = page.locator(".gs-dot-front").first  # and by the keyboard, on the plot
    dot.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".gs-toast")
    count = page.locator(".gs-front-card").count()
    studio.set("Pictures to make", "5")  # what cannot be searched takes nothing away
    page.click("#gs-tradeoff .gs-search")
    studio.rest(1000)
    expect(page.get_by_label("Pictures to make")).to_be_focused()
    studio.set("Pictures to make", "12")
    studio.set("Steps", "0")
    page.click("#gs-tradeoff .gs-search")
    page.wait_for_selector('.gs-tradeoff-status[data-state="failed"]')
    expect(page.locator(".gs-front-card")).to_have_count(count)
    expect(page.locator("#gs-tradeoff .gs-search")).to_have_text("Search on")
    assert not studio.errors and not studio.outside
