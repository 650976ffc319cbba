"""Merging in a real browser: the starter and a LoRA become a base, which makes a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Route

from tests.support import REPOSITORY
from tests.support.studio_page import BRAKE, Studio, expect, needs_starter

pytestmark = pytest.mark.browser
LINE = "#gs-merge-status"
INSET = "(panel) => getComputedStyle(panel).paddingInlineStart.slice(0, -2)"


def choose(visit: Studio, place: str, value: str) -> None:
    box = visit.page.locator(f"#gs-merge-{place} input").first
    box.fill(value)
    box.press("Enter")
    box.blur()


@needs_starter
def test_two_become_one_which_makes_a_picture(desk: Studio) -> None:
    page = desk.tab("Models")
    desk.unfold("Merge models into one")
    expect(page.locator(LINE)).to_contain_text("Choose what is to be merged")
    assert float(page.locator("#gs-merge").evaluate(INSET)) >= 8  # its title is cut by nothing
    expect(page.locator("#gs-merge-c")).to_be_hidden()
    choose(desk, "a", "starter")
    expect(page.locator(LINE)).to_contain_text("B: choose a model for B")
    choose(desk, "b", "starter-1")
    expect(page.locator(LINE)).to_contain_text("starter·(1 − 0.5) + starter-1·0.5 · about")
    multiplier = page.locator("#gs-merge-m input")
    for typed, read in (("0,3", "0.3"), ("5,5", "5.5")):  # 3 and 55, where Gradio reads them
        multiplier.fill("")
        multiplier.press_sequentially(typed)
        expect(page.locator(LINE)).to_contain_text(f"starter·(1 − {read}) + starter-1·{read} ·")
    multiplier.fill("half")
    expect(page.locator("#gs-merge-m")).to_contain_text("“half” is no number")
    expect(page.locator(LINE)).to_contain_text("Multiplier m: must be a number, got 'half'")

    page.get_by_label("Bake in LoRAs: A with LoRAs in its weights").check()
    expect(page.locator("#gs-merge-b")).to_be_hidden()
    choose(desk, "adding", "starter/lora-fox")
    expect(page.locator("#gs-merge-loras textarea")).to_have_value("starter/lora-fox:1")
    page.locator("#gs-merge-name").get_by_role("textbox").fill("foxes")
    expect(page.locator(LINE)).to_contain_text("foxes = starter + 1·starter/lora-fox · about")
    page.locator("#gs-merge-start").click()
    expect(page.locator(LINE)).to_contain_text("foxes is in the library")
    page.get_by_role("button", name="Use foxes as base", exact=True).click()
    expect(page.locator("#gs-base input")).to_have_value("foxes")
    desk.use(["a fox on a yellow background"])
    desk.generate()


@needs_starter
def test_omega_is_kept_as_a_model(desk: Studio) -> None:
    page = desk.page
    keeper = page.locator("#gs-keep-omega")
    desk.use(["a cat"])
    expect(keeper).to_be_hidden()
    desk.load(REPOSITORY / "presets/07-lora-omega-0.json")
    desk.has_rows(["a hero on a yellow background"])
    expect(keeper).to_be_visible()
    keeper.click()
    page.get_by_text("ω, personalization guidance: changes nothing now").wait_for()  # it is at 0
    desk.set("ω, personalization guidance", "0.4")
    desk.rest()
    keeper.click()
    expect(page.locator("#gs-merge-loras textarea")).to_have_value("starter/lora-hero:0.4")
    expect(page.locator("#gs-merge-name")).to_contain_text("row 1 with starter/lora-hero:0.6")
    expect(page.locator(LINE)).to_contain_text("it needs a name")


@needs_starter
def test_a_page_that_is_opened_anew_shows_what_is_made(
    desk: Studio, hold: Callable[..., None], home: Path
) -> None:
    page = desk.tab("Models")
    desk.unfold("Merge models into one")
    page.get_by_label("Bake in LoRAs: A with LoRAs in its weights").check()
    choose(desk, "a", "starter")
    page.locator("#gs-merge-loras textarea").fill("starter/lora-fox:0.5")
    name = page.locator("#gs-merge-name").get_by_role("textbox")
    name.fill("mixed")
    expect(page.locator(LINE)).to_contain_text("mixed = starter + 0.5·starter/lora-fox")
    hold("mixed")
    page.locator("#gs-merge-start").click()
    expect(page.locator(LINE)).to_contain_text("Reading the models")
    name.fill("another")  # the bar stays
    desk.rest(1000)
    expect(page.locator(LINE)).to_contain_text("Reading the models")
    page.locator("#gs-merge-start").click()
    expect(page.get_by_text("mixed: is made first; wait until it is there")).to_be_visible()

    desk.open()
    page = desk.tab("Models")  # it is unfolded, with the fields as they were
    expect(page.locator(LINE)).to_contain_text("Reading the models")
    expect(name).to_have_value("mixed")
    expect(page.locator("#gs-merge-loras textarea")).to_have_value("starter/lora-fox:0.5")
    expect(page.locator("#gs-merge-m")).to_be_hidden()
    (home / BRAKE).unlink()
    expect(page.locator(LINE)).to_contain_text("mixed is in the library")
    expect(page.get_by_role("button", name="Use mixed as base", exact=True)).to_be_visible()

    desk.open()
    page = desk.tab("Models")
    desk.unfold("Merge models into one")
    expect(page.locator(LINE)).to_contain_text("mixed is in the library")


@needs_starter
def test_what_stands_in_the_fields_outlives_a_reload(desk: Studio) -> None:
    page = desk.tab("Models")
    desk.unfold("Merge models into one")
    page.get_by_label("Weighted sum: A·(1 − m) + B·m").check()
    choose(desk, "a", "starter")
    choose(desk, "b", "starter-1")
    page.locator("#gs-merge-m input").fill("0.3")
    page.locator("#gs-merge-loras textarea").fill("starter/lora-fox:0.5")
    page.locator("#gs-merge-name").get_by_role("textbox").fill("fixed")
    line = "fixed = starter·(1 − 0.3) + starter-1·0.3 + 0.5·starter/lora-fox"
    expect(page.locator(LINE)).to_contain_text(line)
    desk.open()
    page = desk.tab("Models")
    desk.unfold("Merge models into one")
    expect(page.locator("#gs-merge-a input").first).to_have_value("starter")
    expect(page.locator("#gs-merge-b input").first).to_have_value("starter-1")
    expect(page.locator("#gs-merge-m input")).to_have_value("0.3")
    expect(page.locator("#gs-merge-loras textarea")).to_have_value("starter/lora-fox:0.5")
    expect(page.locator("#gs-merge-name").get_by_role("textbox")).to_have_value("fixed")
    expect(page.locator(LINE)).to_contain_text(line)
    page.locator("#gs-merge-loras textarea").fill("")
    page.locator("#gs-merge-name").get_by_role("textbox").fill("")
    expect(page.locator(LINE)).to_contain_text("it needs a name")


@needs_starter
def test_a_question_that_is_late_on_its_way_leaves_no_earlier_state(desk: Studio) -> None:
    page = desk.tab("Models")
    desk.unfold("Merge models into one")

    def late(route: Route) -> None:
        asked = route.request.post_data or ""
        if '"starter-1"' in asked and '"blend"' not in asked:
            page.wait_for_timeout(1500)  # the later ones overtake it
        route.continue_()

    choose(desk, "a", "starter")
    page.locator("#gs-merge-m input").fill("0.5")
    page.route("**/gradio_api/queue/join*", late)
    choose(desk, "b", "starter-1")
    page.locator("#gs-merge-name").get_by_role("textbox").fill("blend")
    expect(page.locator(LINE)).to_contain_text("blend = starter·(1 − 0.5) + starter-1·0.5")
    desk.rest(2000)
    expect(page.locator(LINE)).to_contain_text("blend = starter·(1 − 0.5) + starter-1·0.5")
    page.locator("#gs-merge-name").get_by_role("textbox").fill("")
    expect(page.locator(LINE)).to_contain_text("it needs a name")


@needs_starter
def test_stopping_leaves_nothing(desk: Studio, hold: Callable[..., None], home: Path) -> None:
    page = desk.tab("Models")
    desk.unfold("Merge models into one")
    page.get_by_label("Bake in LoRAs: A with LoRAs in its weights").check()
    choose(desk, "a", "starter")
    page.locator("#gs-merge-loras textarea").fill("starter/lora-fox:0.5")
    page.locator("#gs-merge-name").get_by_role("textbox").fill("halted")
    expect(page.locator(LINE)).to_contain_text("halted = starter + 0.5·starter/lora-fox")
    hold("halted")
    page.locator("#gs-merge-start").click()
    expect(page.locator(LINE)).to_contain_text("Reading the models")
    page.locator("#gs-merge-stop").click()
    expect(page.locator(LINE)).to_contain_text("Stopped. Nothing is kept of it.")
    assert not [path for path in (home / "models").iterdir() if "halted" in path.name]
