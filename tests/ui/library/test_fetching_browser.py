"""A download in a real browser: it outlives its page, and is stopped from the next one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.other_tools import a1111, png
from tests.support.studio_page import BRAKE, Studio, expect

pytestmark = pytest.mark.browser
LINE = "#gs-fetch-status"
NAME = "somebody/large-model"


def test_a_page_that_is_opened_anew_shows_what_comes(
    desk: Studio, hold: Callable[..., None], home: Path
) -> None:
    page = desk.tab("Models")
    name = page.locator("#gs-fetch-name").get_by_role("textbox")
    name.fill(NAME)
    hold(NAME)
    page.click("#gs-fetch-start")
    expect(page.locator(LINE)).to_contain_text("Asking for it …")
    desk.open()
    desk.tab("Models")
    expect(page.locator(LINE)).to_contain_text("Asking for it …")
    expect(name).to_have_value(NAME)
    name.fill("somebody/else")
    page.click("#gs-fetch-start")
    expect(page.get_by_text(f"{NAME}: is fetched first; wait until it is there")).to_be_visible()
    expect(page.locator(LINE)).to_contain_text("Asking for it …")
    page.click("#gs-fetch-look")  # has a line of its own meanwhile
    expect(page.locator("#gs-fetch-found")).to_contain_text("HF_HUB_OFFLINE is set")
    expect(page.locator(LINE)).to_contain_text("Asking for it …")
    page.click("#gs-fetch-stop")
    expect(page.locator(LINE)).to_contain_text("Stopped. Files that came whole are kept")
    desk.open()
    desk.tab("Models")
    expect(page.locator(LINE)).to_contain_text("Stopped. Files that came whole are kept")
    expect(name).to_have_value("somebody/else")
    (home / BRAKE).unlink()
    page.click("#gs-fetch-start")
    expect(page.locator(LINE)).to_contain_text("cannot be fetched: HF_HUB_OFFLINE is set")


def test_a_model_that_a_picture_names_by_its_hash_is_looked_up(
    desk: Studio, tmp_path: Path
) -> None:
    text = a1111("a cat, <lora:ink-style:0.8>", more=', Hashes: {"lora:ink-style": "aabbccddeeff"}')
    desk.load(png(tmp_path, parameters=text))
    note = desk.page.locator(".gs-notices li").filter(has_text="can be looked up on civitai.com")
    expect(note).to_have_count(1)
    note.get_by_role("button", name="Look up aabbccddeeff").click()
    name = desk.page.locator("#gs-fetch-name").get_by_role("textbox")
    expect(name).to_have_value("aabbccddeeff")
    answer = desk.page.locator(LINE)
    expect(answer).to_contain_text("HF_HUB_OFFLINE is set")
    expect(name).to_be_in_viewport()
    expect(answer).to_be_in_viewport()
    desk.page.get_by_role("button", name="Close the notes").click()
