"""A model of the library finishes the form's picture, by one press."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_another_model_takes_over_by_a_press_and_is_taken_back_by_a_key(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat face"], steps=4)
    desk.tab("Models")
    page.get_by_role("button", name="Finish with starter-1", exact=True).click()
    asked = page.get_by_role("dialog", name="Finish with starter-1")
    at = asked.locator("[name=at]")
    at.fill("1,5")
    asked.get_by_role("button", name="Fill the form").click()
    expect(asked.locator(".gs-error").first).to_contain_text("from 0.01 to 0.99")
    at.fill("0,5")
    asked.get_by_role("button", name="Fill the form").click()
    expect(page.locator("#gs-plan")).to_contain_text("starter-1(∅)")
    desk.unfold("Advanced")
    field = page.get_by_label("Refiner: model", exact=True)
    expect(field).to_have_value("starter-1")
    expect(page.get_by_label("Refiner: from", exact=True).first).to_have_value("0.5")
    desk.tab("Result")
    desk.generate()
    expect(page.locator(".gs-stage img")).to_have_count(1)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+z")
    expect(field).to_have_value("")
    desk.tab("Models")
    page.get_by_role("button", name="Finish with starter", exact=True).click()
    page.get_by_role("button", name="Fill the form").click()
    expect(page.locator(".toast-body").last).to_contain_text("another model than the base")
