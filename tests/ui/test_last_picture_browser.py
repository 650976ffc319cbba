"""What a page says where there is nothing to show, or where nothing is answered: in Chromium."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser


def test_a_page_whose_form_was_kept_opens_on_the_last_picture(studio: Studio) -> None:
    studio.open().use(["a cat"])
    before = studio.moments()
    studio.generate()
    studio.made_since(before, 1)
    newest = studio.page.evaluate("document.querySelector('#gs-history .gs-moment img')?.src")
    beside = Studio(studio.page.context.new_page(), studio.address).open()
    beside.has_rows(["a cat"])
    shown = beside.page.locator('.gs-stage[data-state="last"] img')
    name = re.escape(newest.rsplit("/", 1)[-1])
    expect(shown).to_have_attribute("src", re.compile(f"{name}$"))
    # It is what masks are painted over, as a result of today is.
    beside.page.click(".gs-add")
    beside.page.get_by_role("button", name="Masks", exact=True).click()
    under = beside.page.locator("dialog.gs-painter .gs-canvas img")
    expect(under).to_have_attribute("src", re.compile(f"{name}$"))
    beside.page.keyboard.press("Escape")
    # And what the next one starts from; how strongly is an axis of a sweep then.
    beside.unfold("Advanced")
    beside.page.get_by_role("button", name="Start from the last result").click()
    beside.page.wait_for_function("Boolean(studio.start.init?.image)")
    beside.page.get_by_role("button", name="Vary Strength in a sweep").click()
    expect(beside.page.get_by_label("Across: the field")).to_have_value("init.strength")
    # Its seed is one press away, and so is a new one each time.
    seed = beside.page.get_by_label("Seed (−1: new each time)", exact=True).first
    beside.set("Seed (−1: new each time)", "-1")
    made = re.search(r"seed(\d+)", newest)
    assert made
    for wanted in (made[1], "-1", made[1]):
        beside.page.get_by_role("button", name="A new seed each time").click()
        expect(seed).to_have_value(wanted)
    beside.page.close()


@needs_starter
def test_a_run_that_fails_leaves_the_result_before_it(studio: Studio, home: Path) -> None:
    (home / "wildcards").mkdir(exist_ok=True)
    choices = home / "wildcards" / "gone.txt"
    choices.write_text("red\nblue\n")
    page = studio.open().page
    result = page.locator('.gs-stage[data-state="done"] .gs-picture img')
    failed = page.locator('#gs-progress .gs-progress[data-state="failed"]')
    studio.use(["a cat"], steps=60)
    page.click("#gs-generate")
    page.wait_for_selector('#gs-progress .gs-progress[data-state="running"]')
    studio.use(["a __gone__ cat"])
    page.wait_for_selector("#gs-plan .gs-equation")
    page.click("#gs-generate")
    page.wait_for_selector('.gs-queue-line [data-do="cancel"]')
    shutil.rmtree(home / "wildcards")
    expect(failed).to_contain_text("wildcard", timeout=60_000)
    expect(result).to_have_count(1)
    expect(page.locator(".gs-hint")).to_be_hidden()


def test_a_log_in_that_has_ended_is_said_and_the_form_is_kept(studio: Studio) -> None:
    studio.open().use(["a cat"])
    page = studio.page
    page.route("**/queue/join*", lambda route: route.fulfill(status=401, body="{}"))
    page.click("#gs-generate")
    line = page.locator(".gs-logged-out")
    expect(line).to_contain_text("Your log-in has ended")
    page.click("#gs-generate")
    expect(line).to_have_count(1)
    page.unroute("**/queue/join*")
    line.get_by_role("button", name="Log in again").click()
    line.wait_for(state="detached")
    page.wait_for_function("window.studio?.isFilled?.()")
    studio.has_rows(["a cat"])
    studio.errors.clear()  # the browser's own lines on the two requests


def test_a_history_without_a_find_says_so(desk: Studio) -> None:
    desk.tab("History")
    view = desk.page.locator("#gs-history-view")
    none = view.locator(".gs-history-none")
    view.get_by_role("searchbox").first.fill("nothing is called so")
    expect(none).to_have_text("No picture fits the search and the lists above.")
    view.get_by_role("searchbox").first.fill("")
