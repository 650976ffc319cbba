"""A training that goes on in one page, as another page of the same browser shows it."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter, pytest.mark.timeout(600)]
BAR = "#gs-train-progress .gs-progress"
TRAINED = "sessionStorage['guidance-studio-trained']"


def test_a_page_that_was_there_before_shows_the_training_of_another(studio: Studio) -> None:
    page = studio.open().page
    page.set_default_timeout(120_000)
    beside = Studio(page.context.new_page(), studio.address).open()
    for tab in (studio, beside):
        tab.tab("Train")
        tab.page.evaluate(
            "studio.pictures?.pictures.length && studio.pictures.keepOnly(() => false)"
        )
        expect(tab.page.locator(".gs-pic")).to_have_count(0)
    beside.says("No training yet", "#gs-train-progress")
    beside.page.locator("#gs-train-name input").fill("another-one")

    page.click("#gs-train-examples")
    page.locator(".gs-pic img").nth(5).wait_for()
    page.locator("#gs-train-name input").fill("seen-beside")
    page.click("#gs-train-start")
    page.wait_for_selector(f'{BAR}[data-state="running"]:has-text("Step")')
    assert page.evaluate(TRAINED) == "seen-beside"
    beside.page.hover("#gs-train-start", force=True)  # a hand on its way to Train
    beside.says("seen-beside · Step", BAR)  # whose it is: this form has another name
    expect(beside.page.locator("#gs-train-start")).to_be_disabled()

    page.click("#gs-train-pause")
    page.wait_for_selector(f'{BAR}[data-state="paused"]')
    expect(beside.page.locator(BAR)).to_contain_text("To resume it, type its name above again")
    expect(beside.page.locator("#gs-train-resume")).to_be_disabled()
    beside.page.locator("#gs-train-name input").fill("seen-beside")
    beside.page.click("#gs-train-resume")
    beside.page.wait_for_selector(f'{BAR}[data-state="running"]:has-text("Step")')
    beside.page.click("#gs-train-stop")
    beside.page.wait_for_selector(f'{BAR}[data-state="done"]')
    page.focus("#gs-train-name input")
    page.hover("#gs-train-start", force=True)
    studio.says("seen-beside is in the library", BAR)
    for tab in (studio, beside):  # nothing is told to have been cut off, where the server ends now
        assert tab.page.evaluate(TRAINED) in (None, "")
    beside.page.close()
