"""Undo over the whole preset, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.studio_page import Studio

pytestmark = pytest.mark.browser


def expect(page: Any, weight: float, prompt: str) -> None:
    page.wait_for_function(
        "([w, p]) => { const r = window.studio?.stack?.cards[0]?.row; return r?.weight === w && r.prompt === p; }",
        arg=[weight, prompt],
    )


@pytest.mark.timeout(240)
def test_every_change_is_undone_by_name_and_survives_a_reload(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat"])
    page.wait_for_timeout(1500)  # what follows sooner on the same field is the same step
    studio.weigh(0, 6.5)
    page.wait_for_timeout(1500)
    studio.weigh(0, -7)
    page.wait_for_timeout(1500)
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    page.get_by_text("Undone: weight of row 1: 6.5 → -7").wait_for()
    expect(page, 6.5, "a cat")
    page.wait_for_timeout(1800)
    page.reload()
    expect(page, 6.5, "a cat")
    page.wait_for_selector(".gs-cost")  # the plan: what the page asks as it opens is answered
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    page.wait_for_function("studio.stack.cards[0].row.weight !== 6.5")
    for weight in (6.5, -7):
        page.wait_for_timeout(300)
        page.locator("h1").click()
        page.keyboard.press("Control+Shift+z")
        expect(page, weight, "a cat")


def test_a_loaded_preset_is_one_step_and_the_old_form_comes_back(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["my own words"])
    studio.weigh(0, 4)
    page.wait_for_timeout(1500)
    studio.tab("Presets")
    page.locator("#gs-shelf .gs-preset").first.click()
    page.wait_for_function("studio.stack.cards[0]?.row.prompt !== 'my own words'")
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    expect(page, 4, "my own words")
