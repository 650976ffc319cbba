"""What a person does at the page, in a real browser, on the shipped starter model.

One server for all tests, started as people start it. Skipped, saying so, where there is no Chromium;
with ``STUDIO_REQUIRE_BROWSER=1`` that is a failure instead.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from studio_page import REPOSITORY, Studio, needs_starter

pytestmark = pytest.mark.browser


def outputs(home: Path) -> list[Path]:
    return sorted((home / "outputs").rglob("*.png"))


def test_opens_quickly_with_a_heading_and_a_plan(studio: Studio) -> None:
    started = time.monotonic()
    studio.open()
    if os.getloadavg()[0] < 2 * (os.cpu_count() or 1):
        assert time.monotonic() - started < 15
    assert studio.page.locator("h1").inner_text() == "Guidance Studio"
    assert "in all" in studio.page.locator(".gs-cost").inner_text()


def test_rows_keep_their_values_when_they_are_changed(studio: Studio) -> None:
    studio.open().use(["one", "two", "three"])
    for index, weight in enumerate((1, -2.5, 3)):
        studio.weigh(index, weight)
    studio.press(0, "Move row down")
    assert [(r["prompt"], r["weight"]) for r in studio.rows()] == [
        ("two", -2.5),
        ("one", 1),
        ("three", 3),
    ]
    studio.press(2, "Duplicate row")
    studio.prompt(3).fill("four")
    studio.press(1, "Delete row")
    assert [r["prompt"] for r in studio.rows()] == ["two", "three", "four"]
    assert [studio.prompt(i).input_value() for i in range(3)] == ["two", "three", "four"]
    assert studio.page.locator(".gs-weight").first.input_value() == "-2.5"
    assert "gs-negative" in (studio.card(0).get_attribute("class") or "")


def test_typing_while_rows_change_loses_nothing(studio: Studio) -> None:
    studio.open().use(["first", "second", "third"])
    studio.prompt(0).click()
    studio.page.keyboard.press("End")
    text = " sunflower in a field"
    for index, letter in enumerate(text):
        studio.page.keyboard.type(letter)
        if index % 5 == 2:
            studio.page.keyboard.press("Alt+ArrowDown")
        if index == 11:
            studio.page.evaluate(
                "studio.stack.add({prompt: 'added'}); studio.stack.cards[2].prompt.focus()"
            )
    assert "first" + text in [row["prompt"] for row in studio.rows()]
    assert len(studio.rows()) == 4


def test_a_plain_prompt_is_split_and_the_plan_follows(studio: Studio) -> None:
    studio.open().use(["a rocket in noto style on a blue background"])
    cost = studio.page.locator(".gs-cost")
    studio.page.wait_for_function("document.querySelector('.gs-cost').innerText.startsWith('2 ')")
    studio.card(0).locator(".gs-split").click()
    assert studio.rows()[0]["prompt"] == "a rocket AND in noto style AND on a blue background"
    studio.page.wait_for_function("document.querySelector('.gs-cost').innerText.startsWith('4 ')")
    assert "16 in all" in cost.inner_text()


def test_range_and_reference_are_kept(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.press(0, "More: adapters")
    studio.card(0).get_by_label("End of the range", exact=True).fill("0.6")
    studio.card(0).get_by_label("Reference of this row").select_option("prompt")
    studio.card(0).get_by_label("Reference prompt").fill("a dog")
    row = studio.rows()[0]
    assert row["range"] == [0, 0.6] and row["reference"] == {"prompt": "a dog"}


@needs_starter
def test_generates_and_the_png_makes_the_same_image_again(studio: Studio, home: Path) -> None:
    studio.open().use(["a red heart on a blue background", "blurry"])
    studio.weigh(1, -1)
    before = len(outputs(home))
    studio.page.keyboard.press("Control+Enter")
    studio.finish()
    first = outputs(home)[-1]
    assert len(outputs(home)) == before + 1
    assert studio.page.locator(".gs-share:not([hidden])").count() == 2
    studio.use(["something else"])
    studio.load(first)
    studio.page.wait_for_function("studio.stack.cards.length === 2")
    assert [row["weight"] for row in studio.rows()] == [5, -1]
    studio.generate()
    second = outputs(home)[-1]
    assert second != first
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(second)))


@needs_starter
def test_cancel_leaves_the_studio_usable(studio: Studio, home: Path) -> None:
    studio.open().use(["a cat"], steps=200)
    studio.page.click("#gs-generate")
    studio.page.wait_for_selector('.gs-stage[data-state="running"] img', timeout=40000)
    before = len(outputs(home))
    studio.page.keyboard.press("Escape")
    studio.page.wait_for_selector('.gs-progress[data-state="idle"]')
    studio.set("number input for Steps", "4")
    studio.generate()
    assert len(outputs(home)) == before + 1
    assert [row["prompt"] for row in studio.rows()] == ["a cat"]


@needs_starter
def test_use_again_brings_the_preset_back(studio: Studio) -> None:
    studio.open().use(["a blue car"])
    studio.generate()
    studio.use(["something else"])
    studio.page.locator(".gs-moment").first.get_by_role("button", name="Use again").click()
    studio.page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a blue car'")


def test_preset_goes_out_as_json_and_comes_back(studio: Studio, tmp_path: Path) -> None:
    studio.open().use(["a tree AND in flat style"])
    studio.weigh(0, 6.5)
    studio.page.get_by_role("tab", name="Presets").click()
    with studio.page.expect_download() as waiting:
        studio.page.click("#gs-download")
    path = tmp_path / "mine.json"
    waiting.value.save_as(path)
    assert json.loads(path.read_text())["rows"][0]["weight"] == 6.5
    studio.use(["other"])
    # Dropped anywhere on the page, as from a file manager.
    transfer = studio.page.evaluate_handle(
        "(text) => { const t = new DataTransfer(); t.items.add(new File([text], 'mine.json',"
        " {type: 'application/json'})); return t; }",
        path.read_text(),
    )
    studio.page.dispatch_event("h1", "drop", {"dataTransfer": transfer})
    studio.page.wait_for_function(
        "studio.stack.cards[0]?.row.prompt === 'a tree AND in flat style'"
    )
    assert studio.rows()[0]["weight"] == 6.5


def test_link_opens_the_same_preset(studio: Studio, browser: Any) -> None:
    studio.open().use(["a link to this"])
    studio.weigh(0, -7)
    studio.page.on("dialog", lambda dialog: dialog.dismiss())
    studio.page.click("#gs-link")
    studio.page.wait_for_function("typeof studio.link === 'string'")
    link = studio.page.evaluate("studio.link")
    page = browser.new_page()
    page.goto(link)
    page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'a link to this'")
    assert page.evaluate("studio.stack.cards[0].row.weight") == -7
    page.close()


def test_nothing_is_lost_on_reload(studio: Studio) -> None:
    studio.open().use(["kept over a reload"])
    studio.page.wait_for_timeout(600)
    studio.page.reload()
    studio.page.wait_for_function(
        "window.studio?.stack?.cards[0]?.row.prompt === 'kept over a reload'"
    )


def test_bad_file_is_one_toast_and_nothing_is_lost(studio: Studio, tmp_path: Path) -> None:
    studio.open().use(["still here"])
    bad = tmp_path / "bad.json"
    bad.write_text('{"rows": [{"prompt": "x", "wieght": 1}]}')
    studio.load(bad)
    toast = studio.page.locator(".toast-body").first
    toast.wait_for()
    assert "rows.0.wieght" in toast.inner_text() and "Traceback" not in toast.inner_text()
    assert [row["prompt"] for row in studio.rows()] == ["still here"]


def test_control_image_gets_a_thumbnail(studio: Studio, tmp_path: Path) -> None:
    studio.open().use(["a house"])
    picture = tmp_path / "edges.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    if not studio.card(0).locator(".gs-prompting .gs-thumb").is_visible():
        pytest.skip("the library has no ControlNet for the base")
    studio.card(0).locator(".gs-prompting .gs-file").set_input_files(picture)
    studio.card(0).locator(".gs-prompting .gs-thumb img").wait_for()
    assert studio.rows()[0]["control"]["image"].startswith("inputs/")


def test_a_curve_is_chosen_and_drawn(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.press(0, "More: adapters")
    card = studio.card(0)
    card.get_by_label("Weight curve of this row").select_option("linear_up")
    assert studio.rows()[0]["curve"] == "linear_up"
    assert card.locator(".gs-plot polyline").get_attribute("points").startswith("0.0,22.0")
    card.get_by_label("Weight curve of this row").select_option("points")
    points = card.get_by_label("Points of the curve")
    points.fill("0:0, 0.5:2, 0.4:1")
    assert points.get_attribute("aria-invalid") == "true"
    assert studio.rows()[0]["curve"] == [[0, 0], [0.3, 1], [1, 1]]  # the last that was right
    points.fill("0:0, 0.5:2")
    assert studio.rows()[0]["curve"] == [[0, 0], [0.5, 2]]
    studio.page.wait_for_function(
        "document.querySelector('.gs-equation').innerText.includes('step 2:')"
    )


def test_a_mask_is_painted_and_the_plan_follows(studio: Studio, home: Path) -> None:
    studio.open().use(["a cat", "a dog"])
    studio.press(1, "More: adapters")
    studio.press(1, "Paint mask")
    box = studio.page.locator(".gs-canvas").bounding_box()
    mouse = studio.page.mouse
    mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.5)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5, steps=4)
    mouse.up()
    studio.page.get_by_role("button", name="Use mask").click()
    studio.card(1).locator(".gs-masking .gs-thumb img").wait_for()
    mask = studio.rows()[1]["mask"]
    painted = np.asarray(Image.open(home / mask).convert("L")).astype(int)
    height, width = painted.shape
    assert height == width  # the aspect of the picture
    assert painted[height // 2, width // 5] == 255 and painted[height // 2, -1] == 0
    studio.page.wait_for_function(
        "document.querySelector('.gs-equation').innerText.includes('M2⊙')"
    )
    studio.press(1, "Paint mask")  # what was painted is there again
    studio.page.get_by_role("button", name="Invert").click()
    studio.page.get_by_role("button", name="Use mask").click()
    studio.page.wait_for_function(f"studio.stack.cards[1].row.mask !== '{mask}'")
    inverted = np.asarray(Image.open(home / studio.rows()[1]["mask"]).convert("L")).astype(int)
    assert np.abs(painted + inverted - 255).max() <= 2
    studio.press(1, "Remove mask")
    assert studio.rows()[1]["mask"] == ""


def test_refinements_are_in_the_plan(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.page.locator("#gs-advanced").get_by_role("button", name="Advanced").first.click()
    studio.set("number input for Guidance rescale", "0.5")
    told = "document.querySelector('#gs-plan').innerText.includes"
    studio.page.wait_for_function(f"{told}('guidance rescale 0.5')")
    studio.page.get_by_label("CFG++").check()
    studio.page.wait_for_function(f"{told}('cfgpp')")  # DPM-Solver++ has no such form
    studio.page.get_by_label("Scheduler").click()
    studio.page.get_by_role("option", name="DDIM").click()
    studio.page.wait_for_function(f"{told}('CFG++')")


@needs_starter
def test_starts_from_a_picture_and_its_png_restores_it(studio: Studio, home: Path) -> None:
    studio.open().use(["a red heart on a blue background"])
    studio.page.locator("#gs-advanced").get_by_role("button", name="Advanced").first.click()
    cat = REPOSITORY / "assets" / "examples" / "cat.png"
    studio.page.locator(".gs-start > .gs-file").set_input_files(cat)
    studio.page.locator(".gs-start > .gs-thumb img").wait_for()
    studio.set("Strength (number)", "0.5")
    studio.page.wait_for_function(
        "document.querySelector('.gs-cost').innerText.includes('2 steps of 4')"
    )
    studio.page.locator(".gs-start").get_by_label("Paint the mask").click()
    studio.page.get_by_role("button", name="All", exact=True).click()
    studio.page.get_by_role("button", name="Use mask").click()
    studio.page.locator(".gs-start-details .gs-thumb img").wait_for()
    studio.generate()
    first = outputs(home)[-1]
    studio.page.locator(".gs-start").get_by_label("Start from noise").click()
    assert studio.page.evaluate("studio.start.init") is None
    studio.load(first)
    studio.page.wait_for_function("studio.start.init !== null")
    init = studio.page.evaluate("studio.start.init")
    assert init["strength"] == 0.5 and init["mask"].startswith("inputs/")
    studio.generate()
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(outputs(home)[-1])))


@needs_starter
def test_adapters_are_added_and_taken_away(studio: Studio) -> None:
    studio.open().use(["a hero"])
    card = studio.card(0)
    card.get_by_label("Model of this row").select_option(label="The hero (LoRA)")
    assert studio.rows()[0]["model"] == {"lora": "starter/lora-hero", "strength": 1}
    studio.press(0, "More: adapters")
    card.get_by_label("Add an adapter").select_option(label="Blob style (LoRA)")
    card.get_by_label("Strength of starter/lora-blob").fill("0.4")
    assert studio.rows()[0]["model"]["loras"] == [{"lora": "starter/lora-blob", "strength": 0.4}]
    studio.page.wait_for_function(
        "document.querySelector('.gs-equation').innerText.includes('0.4·Δ')"
    )
    studio.press(0, "Remove starter/lora-blob")
    assert studio.rows()[0]["model"] == {"lora": "starter/lora-hero", "strength": 1}
    card.get_by_label("Model of this row").select_option(index=0)
    assert studio.rows()[0]["model"] is None


def test_phone_has_no_horizontal_scroll(studio: Studio) -> None:
    studio.page.set_viewport_size({"width": 390, "height": 844})
    studio.open()
    for tab in ("Presets", "Models", "Help", "Result"):
        studio.page.get_by_role("tab", name=tab).click()
        width = studio.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{tab}: {width} px"
    assert studio.page.locator("#gs-generate").is_visible()


def test_dark_is_dark(studio: Studio, tmp_path: Path) -> None:
    studio.open("?__theme=dark")
    studio.page.screenshot(path=tmp_path / "dark.png")
    assert np.asarray(Image.open(tmp_path / "dark.png").convert("L")).mean() < 70


def test_every_control_has_a_name(studio: Studio) -> None:
    nameless = studio.open().page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea')].filter((node) =>
            node.offsetParent && !node.getAttribute('aria-label') && !node.innerText.trim() && !node.labels?.length
            && !node.title && !node.getAttribute('aria-labelledby')).map((node) => node.outerHTML.slice(0, 150))"""
    )
    assert not nameless
