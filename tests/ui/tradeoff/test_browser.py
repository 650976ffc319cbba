"""Which ω for my LoRA: three presses on the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.home import ASSETS
from tests.support.studio_page import Studio, expect, needs_starter

KNOWN = "Compared with 6 of the studio's example pictures."

pytestmark = [pytest.mark.browser, needs_starter]


def _with_lora(studio: Studio) -> Any:
    studio.open()
    studio.use(["a hero on a yellow background"], steps=1)
    page = studio.page
    _choose(page, "hero")
    page.wait_for_selector("#gs-tradeoff .gs-which:visible")
    return page


def _choose(page: Any, lora: str) -> None:
    page.locator(".gs-model").first.select_option(f'["lora","starter/lora-{lora}"]')


def _unfolded(desk: Studio) -> Any:
    """The page with a hero's LoRA and the search in sight; tests before may have left it so."""
    desk.use(["a hero on a yellow background"], steps=1)
    _choose(desk.page, "hero")
    which = desk.page.locator("#gs-tradeoff .gs-which:visible")
    which.wait_for()
    if which.get_attribute("aria-expanded") == "false":
        which.click()
    expect(desk.page.locator(".gs-subject-said")).to_have_text(KNOWN)
    return desk.page


def test_what_is_compared_is_said_of_the_lora_that_is_chosen(desk: Studio) -> None:
    page = _unfolded(desk)
    said = page.locator(".gs-subject-said")
    for _ in range(2):
        desk.rest(1000)  # a step of undo of its own
        _choose(page, "fox")
        expect(said).to_have_text("Needs pictures of what starter/lora-fox was trained on.")
        page.locator(".gs-undo button").first.click()
        expect(said).to_have_text(KNOWN)


def test_there_is_a_way_back_from_pictures_of_ones_own(desk: Studio, tmp_path: Path) -> None:
    """And none of them is another subject's, nor lost for one; a bad one is named as a person knows it."""
    page = _unfolded(desk)
    said = page.locator(".gs-subject-said")
    status = page.locator(".gs-tradeoff-status")
    back = page.get_by_role("button", name="Use the known pictures")
    expect(back).to_be_hidden()
    fake = tmp_path / "fake.png"
    fake.write_bytes(b"no picture")
    files = page.locator("#gs-tradeoff input[type=file]")
    files.set_input_files(fake)
    expect(said).to_have_text("1 of your pictures")
    page.click("#gs-tradeoff .gs-search")
    expect(status).to_have_attribute("data-state", "failed")
    expect(status).to_have_text(re.compile(r"^fake\.png: is not a"))
    back.click()
    expect(said).to_have_text(KNOWN)
    expect(status).to_have_text("")  # it was about a picture that is not compared any more
    expect(back).to_be_hidden()
    files.set_input_files(fake)
    expect(said).to_have_text("1 of your pictures")
    _choose(page, "fox")
    expect(said).to_have_text("Needs pictures of what starter/lora-fox was trained on.")
    page.click("#gs-tradeoff .gs-search")
    expect(status).to_have_text(re.compile("needs pictures of what starter/lora-fox"))
    _choose(page, "hero")
    expect(said).to_have_text("1 of your pictures")  # of this one's subject they still are
    back.click()
    expect(said).to_have_text(KNOWN)
    expect(status).to_have_text("")
    expect(status).to_have_attribute("data-state", "idle")


def test_a_second_tab_is_told_that_a_search_runs_already(
    desk: Studio, hold: Callable[..., None]
) -> None:
    page = _unfolded(desk)
    desk.rest(1500)  # a tab that is opened now has this form
    other = page.context.new_page()
    try:
        second = Studio(other, desk.address).open()
        _unfolded(second)
        hold("a hero on a yellow background")
        page.click("#gs-tradeoff .gs-search")
        page.wait_for_selector('.gs-tradeoff-status[data-state="running"]')
        other.click("#gs-tradeoff .gs-search")
        refused = other.locator(".gs-tradeoff-refused")
        expect(refused).to_have_text("search: a search runs already; stop it first")
        expect(other.locator(".gs-tradeoff-status")).to_have_attribute("data-state", "running")
        expect(refused).to_be_visible()
        expect(page.locator(".gs-tradeoff-refused")).to_be_hidden()
        second.says("Search for ω: ", ".gs-around")
        other.click("#gs-cancel")
        second.says("A search that another tab began goes on", ".gs-toasts")
        page.click("#gs-cancel")  # of the tab that began it
        expect(other.locator(".gs-tradeoff-status")).to_have_attribute("data-state", "stopped")
        expect(refused).to_be_hidden()
        second.assert_clean()
    finally:
        other.close()


def test_pictures_of_ones_own_outlive_a_reload(studio: Studio, tmp_path: Path) -> None:
    """Each model's, until they are let go; a search that went on with them goes on with them."""
    page = _with_lora(studio)
    page.click("#gs-tradeoff .gs-which")
    said = page.locator(".gs-subject-said")
    files = [tmp_path / f"{name}.png" for name in ("one", "other")]
    for file in files:
        file.write_bytes((ASSETS / "examples" / "cat.png").read_bytes())

    def again() -> None:
        studio.rest(1000)
        studio.open()
        page.click("#gs-tradeoff .gs-which")

    page.set_input_files("#gs-tradeoff input[type=file]", files)
    expect(said).to_have_text("2 of your pictures")
    _choose(page, "fox")
    expect(said).to_have_text("Needs pictures of what starter/lora-fox was trained on.")
    page.set_input_files("#gs-tradeoff input[type=file]", files[:1])
    expect(said).to_have_text("1 of your pictures")
    again()
    expect(said).to_have_text("1 of your pictures")
    _choose(page, "hero")
    expect(said).to_have_text("2 of your pictures")
    page.click("#gs-tradeoff .gs-search")  # they are whole
    status = page.locator(".gs-tradeoff-status")
    expect(status).to_have_attribute("data-state", "running")
    page.keyboard.press("Escape")
    expect(status).to_have_attribute("data-state", "stopped")
    page.get_by_role("button", name="Use the known pictures").click()
    again()
    expect(said).to_have_text(KNOWN)


def test_how_many_pictures_are_made_is_said_and_outlives_a_reload(
    studio: Studio, hold: Callable[..., None]
) -> None:
    page = _with_lora(studio)
    page.click("#gs-tradeoff .gs-which")
    box, makes = page.get_by_label("Pictures to make"), page.locator(".gs-tradeoff-makes")
    expect(makes).to_have_text("At most 32 pictures, 4 for each setting")
    studio.set("Pictures to make", "5")
    expect(makes).to_have_text("")  # it says itself what is wrong with it
    studio.set("Pictures to make", "14")
    expect(makes).to_have_text("At most 12 pictures, 4 for each setting")
    page.get_by_label("the row's weight too").check()
    studio.open()  # before it is asked for, too
    page.click("#gs-tradeoff .gs-which")
    expect(box).to_have_value("14")
    expect(page.get_by_label("the row's weight too")).to_be_checked()
    hold("a hero on a yellow background")
    page.click("#gs-tradeoff .gs-search")
    status = page.locator(".gs-tradeoff-status")
    expect(status).to_have_attribute("data-state", "running")
    studio.open()
    expect(status).to_have_attribute("data-state", "running")
    expect(box).to_have_value("14")
    expect(page.get_by_label("the row's weight too")).to_be_checked()
    expect(makes).to_have_text("At most 12 pictures, 4 for each setting")
    page.keyboard.press("Escape")  # as Cancel
    expect(status).to_have_attribute("data-state", "stopped")
    expect(box).to_have_value("14")
    studio.set("Pictures to make", "20")
    studio.open()
    expect(status).to_have_attribute("data-state", "stopped")
    expect(box).to_have_value("20")  # not as the one that is over was asked for


def test_it_is_offered_where_a_row_is_personalised(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat face"], steps=1)
    page.wait_for_selector("#gs-tradeoff .gs-which", state="hidden")
    _with_lora(studio)
    page.click("#gs-tradeoff .gs-which")
    page.wait_for_function(
        "document.querySelector('.gs-subject-said')?.textContent.includes('with 6 of')"
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
    search, about = page.locator("#gs-tradeoff .gs-search"), page.locator(".gs-tradeoff-about")
    expect(search).to_have_text("Search")  # with other steps it is another search
    studio.set("Steps", "1")
    expect(search).to_have_text("Search on")
    page.get_by_label("the row's weight too").click()  # a test before may have left it on
    expect(search).to_have_text("Search")
    page.get_by_label("the row's weight too").click()
    expect(search).to_have_text("Search on")
    searched = "Searched for row 1: starter/lora-hero a hero on a yellow background"
    expect(about).to_have_text(searched)
    _choose(page, "fox")  # what is there is still the hero's, and a search would be another
    expect(search).to_have_text("Search")
    expect(about).to_have_text(searched)
    assert not studio.errors and not studio.outside
