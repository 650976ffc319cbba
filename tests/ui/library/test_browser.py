"""The Models tab in a real browser: its search, what is loaded, fetching from a hub, new models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser
LINES = "#gs-models .gs-model-line"
# Notes that the field of further folders was closed at some time.
SHUT = """() => {
    const place = document.getElementById("gs-folder-names");
    new MutationObserver(() => {
        window.shut ||= place.querySelector("textarea")?.disabled;
    }).observe(place, { subtree: true, attributes: true, childList: true });
}"""


def opened(visit: Studio) -> Studio:
    visit.tab("Models")
    visit.page.get_by_role("searchbox", name="Search the library").wait_for()
    return visit


@needs_starter
def test_what_can_be_done_with_a_model_stands_on_one_line(desk: Studio) -> None:
    page = opened(desk).page
    for name in ("lora-blob", "lora-polar", "starter"):
        line = page.locator(LINES).filter(has=page.get_by_text(name)).first
        line.wait_for()
        uses, edit = line.locator(".gs-link:visible").all()[-2:]
        apart = abs(uses.bounding_box()["y"] - edit.bounding_box()["y"])
        assert apart < 10, f"{name}: it stands on a line of its own"


@needs_starter
def test_what_is_loaded_is_let_go_by_a_press(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.generate()
    page = opened(desk).page
    loaded, free = page.locator("#gs-loaded"), page.get_by_role("button", name="Free the memory")
    expect(loaded).to_contain_text("network")
    looks = page.get_by_role("button", name="Look for new models")
    assert free.bounding_box()["height"] == looks.bounding_box()["height"]
    free.click()
    expect(loaded).to_contain_text("Nothing yet")


@needs_starter
def test_the_search_narrows_and_clearing_brings_all_back(desk: Studio) -> None:
    page = opened(desk).page
    shown = page.locator(LINES).filter(visible=True)
    shown.nth(5).wait_for()
    before = shown.all_inner_texts()
    search = page.get_by_label("Search the library")
    search.press_sequentially("lora")
    loras = [f"starter/lora-{name}" for name in ("blob", "glossy", "hero", "polar")]
    expect(shown).to_contain_text(loras)
    expect(page.locator("#gs-models h3", has_text="Base models")).to_be_hidden()
    search.press_sequentially(" HERO")  # every word must match, in either case
    expect(shown).to_contain_text(["starter/lora-hero"])
    search.fill("no such thing")
    expect(shown).to_have_count(0)
    page.get_by_text("No model of the library matches").wait_for()
    search.fill("")
    expect(shown).to_have_text(before, use_inner_text=True)
    expect(page.get_by_text("No model of the library matches")).to_be_hidden()


@needs_starter
def test_models_are_a_wall_of_cards_of_one_kind_and_a_press_on_one_uses_it(desk: Studio) -> None:
    desk.use(["a cat", "a dog"])
    page = opened(desk).page
    shown = page.locator(LINES).filter(visible=True)
    page.get_by_label("Kind of model").select_option("lora")
    expect(page.locator("#gs-models h3").filter(visible=True)).to_have_text(["LoRAs"])
    every = page.get_by_role("button", name="Use starter/lora-fox in every row")
    expect(every).to_be_hidden()  # a line has no room for it
    page.get_by_role("button", name="As cards").click()
    expect(page.locator("#gs-models .gs-walled")).to_have_count(1)
    tops = shown.evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().top)")
    assert len(set(tops)) < len(tops)  # several stand beside each other

    every.click()
    page.wait_for_function(
        "studio.stack.cards.every((card) => card.has().includes('starter/lora-fox'))"
    )
    expect(page.locator(".gs-toast", has_text="2 rows have it now.")).to_be_visible()
    expect(page.get_by_label("ω, personalization guidance").last).to_have_value("1")
    every.click()
    expect(page.locator(".gs-toast", has_text="Every row has it already.")).to_be_visible()
    shown.filter(has_text="starter/lora-hero").click(position={"x": 30, "y": 40})
    desk.has_rows(["a cat", "a dog", "hero"])

    page.get_by_role("button", name="Look for new models").click()
    desk.rest(1000)
    page.locator("#gs-models .gs-walled").wait_for()  # the list that was drawn anew, too
    expect(page.locator("#gs-models h3").filter(visible=True)).to_have_text(["LoRAs"])
    page.reload()
    page.wait_for_selector("body:not([inert]) .gs-card")
    opened(desk)
    page.locator("#gs-models .gs-walled").wait_for()
    page.get_by_role("button", name="As cards").click()
    expect(page.locator("#gs-models .gs-walled")).to_have_count(0)


@needs_starter
def test_what_is_said_of_a_model_is_written_on_the_page(desk: Studio, home: Path) -> None:
    page = opened(desk).page
    page.get_by_label("Kind of model").select_option("lora")
    page.get_by_role("button", name="As cards").click()
    page.get_by_role("button", name="Edit what is said of starter/lora-polar").click()
    dialog = page.locator("dialog.gs-texts")
    strength = dialog.get_by_label("Strength to begin with")
    strength.fill("much")
    dialog.get_by_label("Notes").fill("From the zoo")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog.locator(".gs-error").filter(visible=True)).to_contain_text(
        "Strength to begin with: a number from -10 to 10, got much"
    )
    strength.fill("0,8")
    dialog.get_by_label("Name", exact=True).fill("Ice bear")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_have_count(0)
    line = page.locator(LINES, has_text="starter/lora-polar")
    expect(line).to_contain_text("Ice bear")
    expect(page.locator("#gs-models .gs-walled")).to_have_count(1)  # it stays what it was
    expect(page.locator("#gs-models h3").filter(visible=True)).to_have_text(["LoRAs"])
    page.wait_for_function("studio.stack.models.entryOf('starter/lora-polar')?.advised === 0.8")
    (home / "model-words.json").unlink()
    page.get_by_role("button", name="Look for new models").click()
    expect(line).to_contain_text("A polar bear (LoRA)")
    page.get_by_role("button", name="As cards").click()


def test_offline_a_download_says_so_in_one_line(desk: Studio, home: Path) -> None:
    page = opened(desk).page  # the server of the tests runs with HF_HUB_OFFLINE=1
    told = page.locator('#gs-fetch-status .gs-progress[data-state="failed"]')
    page.click("#gs-fetch-start")
    told.get_by_text("type a hub id").wait_for()
    page.locator("#gs-fetch-name").get_by_role("textbox").fill("somebody/tiny-model")
    for button in ("Look up", "Download"):
        page.locator("#gs-fetch").get_by_role("button", name=button).click()
        line = told.get_by_text("'somebody/tiny-model' cannot be fetched: HF_HUB_OFFLINE is set")
        line.wait_for()
        said = line.inner_text()
        assert "\n" not in said
        page.locator("#gs-fetch").get_by_role("button", name="Stop").click()
        page.get_by_text("the one under way starts again with Download").wait_for()
    assert not (home / "models" / "somebody").exists()


@needs_starter
def test_a_new_model_is_found_and_can_be_the_base(studio: Studio, home: Path) -> None:
    page = opened(studio.open()).page
    found = home / "models" / "mine" / "copied"
    try:
        shutil.copytree(REPOSITORY / "assets" / "starter", found)
        page.click("#gs-rescan")
        page.locator(LINES).get_by_text("mine/copied", exact=True).wait_for()
        page.locator("#gs-base input").click()
        page.locator("ul").get_by_role("option", name="mine/copied", exact=True).click()
        page.wait_for_function(
            "document.querySelector('.gs-equation')?.innerText.includes('mine/copied')"
        )
        page.get_by_role("button", name="Use starter as base", exact=True).click()
        studio.says("starter is the base model now.", ".gs-toast")
        expect(page.locator("#gs-base input")).to_have_value("starter")
        page.wait_for_function(
            "!document.querySelector('.gs-equation')?.innerText.includes('mine/copied')"
        )
        page.get_by_role("button", name="Undo (Ctrl+Z)").click()
        expect(page.locator("#gs-base input")).to_have_value("mine/copied")
        page.get_by_role("button", name="Use mine/copied as base").click()
        studio.says("mine/copied is the base model already.", ".gs-toast")
    finally:
        shutil.rmtree(found.parent)
        page.click("#gs-rescan")
        page.locator(LINES).get_by_text("mine/copied", exact=True).wait_for(state="detached")


@needs_starter
def test_what_one_tab_finds_the_others_of_the_browser_have_too(studio: Studio, home: Path) -> None:
    page = opened(studio.open()).page
    other = Studio(page.context.new_page(), studio.address).open()  # at its result, not its models
    found = home / "models" / "mine" / "copied"
    known = "window.studio.stack.models.entryOf('mine/copied')"
    try:
        shutil.copytree(REPOSITORY / "assets" / "starter", found)
        page.click("#gs-rescan")
        other.page.wait_for_function(known, polling=100)
    finally:
        shutil.rmtree(found.parent)
        page.click("#gs-rescan")
    other.page.wait_for_function(f"!{known}", polling=100)


@needs_starter
@pytest.mark.timeout(600)
def test_the_models_tab_tells_what_is_loaded(desk: Studio) -> None:
    desk.use(["a cat"], steps=1)
    desk.generate()
    desk.tab("Models")
    loaded = desk.page.locator("#gs-loaded")
    loaded.get_by_text("Loaded now ·").wait_for()
    for part in ("network", "on cpu", "MB"):
        expect(loaded).to_contain_text(part)


@needs_starter
def test_another_tool_s_folder_is_read_in_place(desk: Studio, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "webui"
    lora = folder / "models/Lora/ink.safetensors"
    lora.parent.mkdir(parents=True)
    (folder / "webui.py").touch()
    shutil.copy(REPOSITORY / "assets/starter/lora-hero/pytorch_lora_weights.safetensors", lora)
    Image.new("RGB", (64, 64), "red").save(lora.with_suffix(".preview.png"))
    about = {"activation text": "hero", "description": "Draws a <b>hero</b>", "sd version": "SD1"}
    lora.with_suffix(".json").write_text(json.dumps(about))
    page = opened(desk).page
    box = page.locator("#gs-folder-names textarea")
    try:
        box.fill(f"{folder}")
        page.evaluate(SHUT)
        page.click("#gs-folders-save")
        page.locator("#gs-folder-status").get_by_text("AUTOMATIC1111 / Forge's folder").wait_for()
        line = page.locator(LINES).filter(has=page.get_by_text("Lora/ink", exact=True))
        line.wait_for()
        expect(line).to_contain_text("made for SD1")
        expect(line).to_contain_text("word “hero”")
        line.scroll_into_view_if_needed()  # pictures come with their lines, as these come into sight
        line.locator("img.gs-preview").wait_for()
        assert page.evaluate("window.shut")  # nothing was typed or pressed that would be lost
        expect(box).to_be_enabled()
        expect(page.locator("#gs-folders-save")).to_be_enabled()
        line.get_by_text("About").click()
        line.get_by_text("Draws a hero").wait_for()
        box.fill("/no/such/folder")
        page.click("#gs-folders-save")
        page.get_by_text("'/no/such/folder' is not there").first.wait_for()
        line.wait_for()  # what was kept stays
    finally:
        (home / "folders.json").unlink(missing_ok=True)
        page.click("#gs-rescan")
        page.locator(LINES).get_by_text("Lora/ink", exact=True).wait_for(state="detached")


@needs_starter
def test_a_model_of_the_library_becomes_a_row(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.tab("Models")
    desk.page.get_by_role("button", name="Use starter/lora-hero in a row").click()
    row = desk.rows()[1]
    assert row["prompt"] == "hero"  # the word that calls it
    assert row["model"] == {"lora": "starter/lora-hero", "strength": 1} and row["weight"] == 1
