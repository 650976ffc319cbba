"""Esc and other keys: what is open takes them first, and a run is cancelled only when nothing is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
RUNS = '#gs-progress .gs-progress[data-state="running"]'


@pytest.fixture
def running(desk: Studio, hold: Callable[..., None]) -> Iterator[Studio]:
    """A page in whose middle of a run Esc is pressed."""
    hold("a cat face")
    desk.use(["a cat face"])
    desk.page.click("#gs-generate")
    desk.page.wait_for_selector('.gs-stage[data-state="running"] img')
    yield desk
    desk.page.click("#gs-cancel")
    desk.says("Cancelled")


def test_esc_closes_what_is_open_and_lets_the_run_go_on(running: Studio) -> None:
    page = running.page

    def escape() -> None:
        page.keyboard.press("Escape")
        page.wait_for_timeout(400)  # in which it would have ended
        expect(page.locator(RUNS)).to_have_count(1)

    page.locator("#gs-base input").click()  # a list of Gradio's
    page.get_by_role("option").first.wait_for()
    escape()
    running.prompt(0).click()  # the list of known words
    running.prompt(0).press_sequentially(" in fl")
    page.get_by_role("listbox").wait_for()
    escape()
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.get_by_role("button", name="Use via API").click()  # a panel of Gradio's
    page.get_by_text("/generate", exact=True).first.wait_for()
    escape()
    page.get_by_text("/generate", exact=True).first.wait_for(state="hidden")
    running.tab("Presets")
    search = page.get_by_role("searchbox", name="Search presets")
    search.fill("moon")
    escape()
    expect(search).to_have_value("")
    page.locator("body").click(position={"x": 5, "y": 500})
    page.keyboard.press("Escape")  # now it is the run's
    running.says("Cancelled")


def test_esc_does_nothing_while_nothing_runs(desk: Studio) -> None:
    desk.use(["a cat"])
    bar = "#gs-progress .gs-progress"
    before = desk.page.text_content(bar)
    desk.page.locator("h1").click()
    desk.page.keyboard.press("Escape")
    desk.page.wait_for_timeout(400)  # in which something would have happened
    expect(desk.page.locator(bar)).to_have_text(before or "")


def test_a_proposed_name_of_a_style_is_written_over(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.tab("Presets")
    desk.page.locator("#gs-keep-style").focus()
    desk.page.keyboard.press("Enter")
    name = desk.page.get_by_label("Name of the style")
    expect(name).to_be_focused()
    desk.page.keyboard.type("mine")
    expect(name).to_have_value("mine")
    name.evaluate(
        "box => { box.value = 'x \\ud83d'; box.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    desk.page.keyboard.press("Enter")  # sooner than its other half could come
    desk.page.get_by_text("Kept as x \ufffd").wait_for()
