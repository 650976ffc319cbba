"""What a reload keeps: a linked preset's edits, each tab's own form, what is half typed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from studio.preset import validate
from studio.share import encode_link
from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser
PRESET = REPOSITORY / "presets" / "01-plain-guidance.json"


def test_edits_of_a_linked_preset_survive_a_reload(studio: Studio) -> None:
    code, _ = encode_link(validate({"name": "Linked", "rows": [{"prompt": "a linked cat"}]}))
    studio.open(f"?p={code}")
    expect(studio.prompt(0)).to_have_value("a linked cat")
    studio.prompt(0).fill("an edited cat")
    studio.page.wait_for_selector(".gs-edited")  # the name stands for something else now
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'an edited cat'")
    beside = Studio(
        studio.page.context.new_page(), studio.address
    ).open()  # the form as it was left
    beside.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'an edited cat'")
    beside.page.wait_for_selector(".gs-edited")
    beside.page.close()


def test_two_tabs_do_not_share_one_form(studio: Studio) -> None:
    studio.open().use(["first tab"])
    beside = Studio(studio.page.context.new_page(), studio.address).open()
    beside.use(["second tab"])
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'first tab'")
    beside.page.reload()
    beside.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'second tab'")
    assert not beside.errors


def test_a_preset_saved_in_one_tab_is_on_the_shelf_of_the_other(studio: Studio) -> None:
    studio.open().tab("Presets")
    beside = Studio(studio.page.context.new_page(), studio.address).open()
    beside.tab("Presets")
    expect(studio.page.locator("#gs-shelf .gs-preset").first).to_be_visible()
    beside.page.locator("#gs-name input").fill("Saved beside")
    beside.page.locator("#gs-name input").blur()
    beside.rest()
    beside.page.click("#gs-save")
    for tab in (beside, studio):
        expect(tab.page.locator("#gs-shelf strong", has_text="Saved beside")).to_have_count(1)
    studio.page.once("dialog", lambda dialog: dialog.accept())
    studio.page.get_by_role("button", name="Delete Saved beside").click()
    for tab in (studio, beside):
        expect(tab.page.locator("#gs-shelf strong", has_text="Saved beside")).to_have_count(0)
    beside.page.close()


def test_the_last_edit_before_a_reload_is_kept(studio: Studio) -> None:
    studio.open().use(["first", "second"])
    studio.page.wait_for_function(
        "sessionStorage.getItem('guidance-studio-tab')?.includes('second')"
    )
    studio.page.evaluate(
        "() => { studio.stack.move(studio.stack.cards[1], -1); location.reload(); }"
    )
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'second'")
    studio.page.wait_for_selector("body:not([inert])")
    studio.press(0, "Delete row")  # a step of its own: the other one is taken down already
    studio.page.wait_for_function("studio.stack.cards.length === 1")
    studio.page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    studio.has_rows(["second", "first"])


AT_ONCE = """([place, value]) => {
    const box = document.querySelector(place);
    box.value = value;
    for (const kind of ["input", "change"]) box.dispatchEvent(new Event(kind, { bubbles: true }));
    location.reload();
}"""


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("#gs-name input", "Mine"),
        ("#gs-description textarea", "what I saw"),
        ("#gs-field-steps .gs-number", "17"),
        ("#gs-field-omega .gs-slider", "0.35"),
        ("#gs-field-scheduler select", "euler"),
        ("#gs-field-guidance-rescale .gs-number", "0.4"),
        ("#gs-field-steps .gs-number", "5000"),  # last: in red, and as it was typed
    ],
)
def test_the_last_edit_of_any_field_before_a_reload_is_kept(
    desk: Studio, place: str, value: str
) -> None:
    desk.open().use(["a cat"])
    desk.unfold("Advanced")
    desk.page.locator(place).wait_for()
    desk.rest()
    expect(desk.page.locator(place)).not_to_have_value(value)
    desk.page.evaluate(AT_ONCE, [place, value])
    desk.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'a cat'")
    desk.page.wait_for_selector("body:not([inert])")
    desk.unfold("Advanced")
    expect(desk.page.locator(place)).to_have_value(value)


def test_the_last_edit_of_a_training_before_a_reload_is_kept_by_its_tab(studio: Studio) -> None:
    studio.open().tab("Train")
    studio.unfold("Steps, rates, samples")
    name, steps = "#gs-train-name input", "#gs-train-field-steps .gs-number"
    studio.page.locator(name).fill("mine")
    kept = "localStorage['guidance-studio-training']?.includes('{}')"
    studio.page.wait_for_function(kept.format("mine"))
    beside = Studio(studio.page.context.new_page(), studio.address).open()
    beside.tab("Train")
    expect(beside.page.locator(name)).to_have_value("mine")  # a new tab has the last one of all
    beside.page.locator(name).fill("another")
    beside.page.wait_for_function(kept.format("another"))
    for place, value in ((name, "my-own"), (steps, "123")):
        studio.page.locator(place).wait_for()
        studio.page.evaluate(AT_ONCE, [place, value])
        studio.page.wait_for_function("window.studio?.stack?.cards.length")
        studio.page.wait_for_selector("body:not([inert])")
        studio.tab("Train")
        studio.unfold("Steps, rates, samples")
        expect(studio.page.locator(name)).to_have_value("my-own")
    expect(studio.page.locator(steps)).to_have_value("123")


def test_notes_stay_with_a_row_that_was_edited_just_before_a_reload(
    studio: Studio, tmp_path: Path
) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cat <lora:absent:0.8>\nSteps: 20, Sampler: No Such, Size: 64x64")
    file = tmp_path / "theirs.png"
    Image.new("RGB", (64, 64)).save(file, pnginfo=info)
    studio.open().load(file)
    notes = studio.page.locator(".gs-notices")
    expect(notes).to_contain_text("absent")
    studio.page.wait_for_function("sessionStorage['guidance-studio-tab']?.includes('a cat')")
    studio.rest(1600)  # the preset is taken up: what comes now is a hand's
    studio.page.evaluate("() => { studio.stack.cards[0].edit({ weight: 4 }); location.reload(); }")
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.weight === 4")
    expect(notes).to_be_visible()


def test_what_is_half_typed_survives_a_reload(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.set("Steps", "5000")
    studio.page.wait_for_function("sessionStorage.getItem('guidance-studio-tab')?.includes('5000')")
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'a cat'")
    studio.page.wait_for_function(
        "document.querySelector('#gs-field-steps .gs-number')?.value === '5000'"
    )
    expect(studio.page.locator("#gs-field-steps .gs-error:not([hidden])").first).to_be_visible()


def shares(studio: Studio) -> Any:
    return studio.page.locator(".gs-share-text")


@needs_starter
def test_shares_survive_a_reload_and_an_undo(studio: Studio) -> None:
    studio.open().use(["a cat face", "in flat style"], steps=2)
    studio.weigh(1, 2)
    studio.generate()
    studio.says("share", ".gs-card:nth-child(2) .gs-share")
    expect(shares(studio)).to_have_text([re.compile("^share ")] * 2)
    before = shares(studio).all_inner_texts()
    studio.press(1, "Move row up")
    studio.page.reload()
    studio.says("share", ".gs-card:nth-child(2) .gs-share")
    expect(shares(studio)).to_have_text(before[::-1])
    studio.press(0, "Delete row")
    studio.page.keyboard.press("Escape")
    studio.page.get_by_role("button", name="Undo").click()
    studio.page.wait_for_function("studio.stack.cards.length === 2")
    expect(shares(studio)).to_have_text(before[::-1])
    studio.load(PRESET)  # and none stays beside rows of another preset
    studio.page.wait_for_function("studio.stack.cards[0]?.row.prompt.startsWith('a rocket')")
    studio.page.wait_for_function(
        "![...document.querySelectorAll('.gs-share')].some((node) => node.offsetParent)"
    )


def test_a_plan_that_waits_is_marked(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.says("a cat", "#gs-plan")  # the form that was there before had a plan as well
    studio.page.wait_for_selector("#gs-plan:not([data-waits])")
    held, gone = [], []
    studio.page.route(
        "**/run/predict*", lambda route: route.continue_() if gone else held.append(route)
    )
    studio.prompt(0).fill("a dog")
    studio.prompt(0).fill("a dog face")
    studio.says("worked out anew", "#gs-plan")
    plan = studio.page.locator("#gs-plan")
    expect(plan).to_have_attribute("aria-busy", "true")
    expect(plan).to_contain_text("a cat")  # it is the one before
    gone.append(True)
    for route in held:
        route.continue_()
    studio.says("a dog face", "#gs-plan")
    studio.page.wait_for_selector("#gs-plan:not([data-waits])")
    expect(plan).not_to_contain_text("anew")
