"""What a person does to make images, in a real browser, on the shipped starter model.

One server for all tests of the page, started as people start it. They skip, saying so, where there
is no Chromium; with ``STUDIO_REQUIRE_BROWSER=1`` that is a failure instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser


def outputs(home: Path) -> list[Path]:
    return sorted((home / "outputs").rglob("*.png"))


def test_opens_quickly_with_a_heading_and_a_plan(studio: Studio) -> None:
    devtools = studio.page.context.new_cdp_session(studio.page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    studio.open()
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    took = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
    assert 0 < took < 15  # seconds of the page's own work: what others do counts for nobody
    expect(studio.page.locator("h1")).to_have_text("Guidance Studio")
    expect(studio.page.locator(".gs-cost")).to_contain_text("in all")


@needs_starter
def test_generates_and_the_png_makes_the_same_image_again(desk: Studio, home: Path) -> None:
    desk.use(["a red heart on a blue background", "blurry"])
    desk.weigh(1, -1)
    before = len(outputs(home))
    desk.generate("Control+Enter")
    first = outputs(home)[-1]
    assert len(outputs(home)) == before + 1
    expect(desk.page.locator(".gs-share:not([hidden])")).to_have_count(2)
    desk.use(["something else"])
    desk.load(first)
    desk.page.wait_for_function("studio.stack.cards.length === 2")
    assert [row["weight"] for row in desk.rows()] == [5, -1]
    desk.generate()
    second = outputs(home)[-1]
    assert second != first
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(second)))


@needs_starter
def test_cancel_leaves_the_studio_usable(
    desk: Studio, home: Path, hold: Callable[..., None]
) -> None:
    hold("a cat")
    desk.use(["a cat"], steps=100)
    desk.set("Images", "8")
    desk.page.click("#gs-generate")
    desk.page.wait_for_selector('.gs-stage[data-state="running"] img')
    before = len(outputs(home))
    desk.page.keyboard.press("Escape")
    desk.page.wait_for_selector('.gs-progress[data-state="idle"]')
    hold("of nobody")
    desk.set("Steps", "4")
    desk.set("Images", "1")
    desk.generate()
    assert len(outputs(home)) == before + 1
    assert [row["prompt"] for row in desk.rows()] == ["a cat"]


@needs_starter
def test_use_again_brings_the_preset_back(desk: Studio) -> None:
    desk.use(["a blue car"])
    desk.generate()
    desk.use(["something else"])
    desk.page.locator(".gs-moment").first.get_by_role("button", name="Use again").click()
    desk.page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a blue car'")


def test_refinements_are_in_the_plan(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.unfold("Advanced")
    studio.set("Guidance rescale", "0.5")
    told = "document.querySelector('#gs-plan')?.innerText.includes"
    studio.page.wait_for_function(f"{told}('guidance rescale 0.5')")
    studio.page.get_by_label("CFG++").check()
    refused = f"{told}('CFG++: is defined for')"  # DPM-Solver++ has no such form
    studio.page.wait_for_function(refused)
    name = studio.page.locator("[data-path=cfgpp] .gs-field-name").first
    beside = studio.page.get_by_label("CFG++").bounding_box()
    where = name.bounding_box()  # what is red lies under both, and pushes neither away
    assert beside and where and where["x"] - (beside["x"] + beside["width"]) < 20
    studio.page.get_by_label("Scheduler", exact=True).select_option("ddim")
    studio.page.wait_for_function(f"!{refused} && {told}('CFG++')")


@needs_starter
def test_starts_from_a_picture_and_its_png_restores_it(studio: Studio, home: Path) -> None:
    studio.open()
    for name in ("02-negative-row", "01-plain-guidance"):  # before that part is mounted
        file = REPOSITORY / "presets" / f"{name}.json"
        studio.load(file)
        studio.has_rows([row["prompt"] for row in json.loads(file.read_text())["rows"]])
    studio.use(["a red heart on a blue background"])
    studio.unfold("Advanced")
    cat = REPOSITORY / "assets" / "examples" / "cat.png"
    studio.page.locator(".gs-start > .gs-file").set_input_files(cat)
    studio.page.locator(".gs-start > .gs-thumb img").wait_for()
    studio.page.locator(".gs-start").get_by_label("Strength", exact=True).fill("0.5")
    studio.page.wait_for_function(
        "document.querySelector('.gs-cost')?.innerText.includes('2 steps of 4')"
    )
    studio.page.locator(".gs-start").get_by_label("Paint the mask").click()
    studio.page.get_by_role("button", name="Everything", exact=True).click()
    studio.page.get_by_role("button", name="Use mask").click()
    studio.page.locator(".gs-start-details .gs-thumb img").wait_for()
    studio.generate()
    first = outputs(home)[-1]
    studio.page.locator(".gs-start").get_by_label("Start from noise").click()
    studio.page.wait_for_function("studio.start?.init === null")
    studio.load(first)
    studio.page.wait_for_function("Boolean(studio.start?.init)")
    init = studio.page.evaluate("studio.start.init")
    assert init["strength"] == 0.5 and init["mask"].startswith("inputs/")
    studio.generate()
    assert np.array_equal(np.asarray(Image.open(first)), np.asarray(Image.open(outputs(home)[-1])))
