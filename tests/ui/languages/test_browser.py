"""The page in German and in Arabic in a real browser: complete, mirrored, and nobody's words changed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo

from studio.languages import ENGLISH, languages
from tests.support.language_walk import GAPS, STILL_ENGLISH, TEXTS, tabs, walk
from tests.support.studio_page import Studio, eventually, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter, pytest.mark.timeout(600)]
LAPTOP = {"width": 1400, "height": 950}
WIDE, PHONE = {"width": 1440, "height": 950}, {"width": 390, "height": 844}
OTHERS = [tag for tag in languages() if tag != ENGLISH]
NOT_HERE = "Not in this library: {names}"
A1111 = "\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 3, Size: 64x64, Version: v1.10"
WRITTEN = "Save"  # a person's own word, and a message too


def fits(desk: Studio, size: dict[str, int], where: str) -> None:
    def whole() -> None:
        width = desk.page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{where}: {width} px"

    eventually(whole)


def test_every_text_of_the_page_is_a_message(desk: Studio) -> None:
    """A new text that is in no file fails here by its words: ``python -m tests.languages``."""
    met: dict[str, None] = {}
    fetched: list[str] = []
    desk.page.on("request", lambda request: fetched.append(request.url))
    walk(desk, lambda: met.update(dict.fromkeys(desk.page.evaluate(TEXTS))))
    assert len(met) > 600
    for tag in OTHERS:
        gaps = desk.page.evaluate(GAPS, [list(met), dict(languages()[tag].messages)])
        assert not gaps, f"{tag}.json does not hold: {gaps}"
    assert not [url for url in fetched if "studio-messages" in url]  # English costs nothing


def test_what_a_picture_asks_for_and_is_not_here_is_said_in_the_page_s_language(
    studio: Studio, settings_file: Path, tmp_path: Path
) -> None:
    """Also in the description, which is the preset's from there on; another one stays as it is."""
    info = PngInfo()
    info.add_text("parameters", f"a cat <lora:fluffy:0.8>{A1111}")
    described = studio.open().page.locator("#gs-description textarea")
    for tag in OTHERS:
        picture = tmp_path / f"{tag}.png"
        Image.new("RGB", (64, 64)).save(picture, pnginfo=info)
        studio.speak(tag)
        studio.load(picture)
        said = dict(languages()[tag].messages)[NOT_HERE].replace("{names}", "<lora:fluffy:0.8>")
        expect(described).to_have_value(said)
        expect(studio.page.locator("#gs-heading:not(.gs-edited)")).to_be_visible()
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"description": WRITTEN, "rows": [{"prompt": "a cat"}]}))
    studio.load(mine)
    expect(described).to_have_value(WRITTEN)


def test_a_latin_name_loses_its_end_where_its_list_is_too_narrow(
    studio: Studio, settings_file: Path
) -> None:
    """Names that differ there look alike then: in a page from right to left too."""
    page = studio.open().page
    studio.speak("ar")
    scheduler = page.locator("#gs-field-scheduler select")
    looks = []
    for end in ("II", "MM"):
        scheduler.evaluate(
            """(select, end) => {
                const option = new Option("DPM-Solver".repeat(6) + end, end, true, true);
                select.add(option);
                select.style.maxWidth = "90px";
            }""",
            end,
        )
        looks.append(scheduler.screenshot(animations="disabled"))
    one, other = (Image.open(io.BytesIO(look)).convert("L") for look in looks)
    assert ImageChops.difference(one, other).getextrema()[1] < 32  # but for a shade


def test_the_page_turns_at_once_with_all_that_is_on_it(desk: Studio, settings_file: Path) -> None:
    page = desk.page
    desk.use(["a cat", "blurry"])
    for tag in OTHERS:
        language = languages()[tag]
        desk.speak(tag)
        said: Any = dict(language.messages)
        expect(page.locator("#gs-generate")).to_have_text(said["Generate"])
        expect(page.locator("html")).to_have_attribute("dir", language.direction)
        assert [row["prompt"] for row in desk.rows()] == ["a cat", "blurry"]
        page.evaluate("studio.stack.cards[1].edit({ enabled: !studio.stack.cards[1].row.enabled })")
        page.set_viewport_size(LAPTOP)
        expect(page.locator("#gs-tabs .overflow-menu")).to_be_hidden()  # every tab is in sight
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            for tab in tabs(desk):
                if size is WIDE:
                    eventually(lambda: _nothing_is_english(desk))
                fits(desk, size, f"{tag}, {tab}, {size['width']}")
        page.set_viewport_size(WIDE)
    desk.speak(ENGLISH)
    expect(page.locator("#gs-generate")).to_have_text("Generate")
    expect(page.locator("html")).to_have_attribute("dir", "ltr")
    theirs = {said for tag in OTHERS for text, said in languages()[tag].messages if said != text}
    ours = {text for text, _ in languages()[OTHERS[0]].messages}

    def whole() -> None:
        left = set(page.evaluate(TEXTS)) & (theirs - ours)
        assert not left

    eventually(whole)


def _nothing_is_english(desk: Studio) -> None:
    assert not desk.page.evaluate(STILL_ENGLISH)


def test_what_a_person_wrote_stays_where_it_is_shown(desk: Studio, settings_file: Path) -> None:
    page = desk.page
    desk.use([WRITTEN], steps=2)
    page.locator("#gs-name input").fill(WRITTEN)
    desk.speak("de")
    page.evaluate("studio.showTab('presets')")
    page.click("#gs-save")
    card = page.locator("#gs-shelf .gs-own", has=page.locator("strong", has_text=WRITTEN))
    expect(card.locator("strong")).to_have_text(WRITTEN)
    expect(card.locator(".gs-own-tools button").last).to_have_attribute(
        "title", f"{WRITTEN} löschen"
    )
    expect(page.locator(".gs-equation .gs-q").first).to_have_text(f'"{WRITTEN}"')
    term = page.locator(".gs-term", has_text=WRITTEN)
    expect(term).to_have_attribute("title", f"Zeile 1: {WRITTEN}")
    page.once("dialog", lambda dialog: dialog.accept())
    card.locator(".gs-own-tools button").last.click()
    expect(card).to_have_count(0)
    desk.speak(ENGLISH)


def test_the_steps_that_a_line_of_the_equation_is_of_are_said_and_what_a_person_wrote_stays(
    desk: Studio, settings_file: Path
) -> None:
    page = desk.page
    desk.use(["step 2"], steps=3)
    desk.press(0, "More: adapters")
    desk.card(0).get_by_label("Weight curve of this row").select_option("linear_up")
    line = page.locator("#gs-plan .gs-equation > div")
    expect(line.nth(1)).to_contain_text("step 2: ε̂ = ")
    desk.speak("de")
    expect(line.nth(1)).to_contain_text("Schritt 2: ε̂ = ")
    expect(line.nth(1)).to_contain_text('"step 2"')
    desk.speak(ENGLISH)


def test_a_browser_that_asks_for_german_gets_it(browser: Any, address: str) -> None:
    context = browser.new_context(locale="de-DE")
    context.set_default_timeout(60_000)
    visit = Studio(context.new_page(), address).open()
    expect(visit.page.locator("#gs-generate")).to_have_text("Generieren")
    expect(visit.page.locator("html")).to_have_attribute("lang", "de")
    context.close()
    visit.assert_clean()


def test_a_number_at_a_plots_scale_has_the_languages_decimals(desk: Studio) -> None:
    desk.speak("de")
    desk.page.evaluate(
        "document.body.insertAdjacentHTML('beforeend',"
        " '<svg id=scale><text>0.434</text></svg><b id=typed>0.434</b>')"
    )
    expect(desk.page.locator("#scale text")).to_have_text("0,434")
    expect(desk.page.locator("#typed")).to_have_text("0.434")
    desk.speak("en")
    expect(desk.page.locator("#scale text")).to_have_text("0.434")
    desk.page.evaluate("document.querySelectorAll('#scale, #typed').forEach((one) => one.remove())")
