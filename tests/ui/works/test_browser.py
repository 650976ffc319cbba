"""Variations, a larger one, more around it, and a form over several pictures, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.share import read_image
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
DONE = '.gs-progress[data-state="done"]:not([data-earlier])'


@pytest.fixture
def made(desk: Studio) -> Studio:
    desk.use(["a cat face"], steps=4)
    desk.tab("Result")
    desk.generate()
    return desk


def use(page: Any, label: str, **numbers: float | str) -> None:
    """Choose a use of the result, and answer what it asks."""
    page.evaluate("document.querySelector('.gs-progress').setAttribute('data-earlier', '')")
    page.locator(".gs-stage").get_by_role("button", name="Use this picture").first.click()
    page.locator("dialog.gs-uses").get_by_role("button", name=label).click()
    dialog = page.locator("dialog.gs-work")
    dialog.wait_for()
    for name, value in numbers.items():
        field = dialog.locator(f"[name={name}]")
        field.check() if value is True else field.fill(str(value))
    dialog.locator(".gs-main-word").click()


def test_a_result_is_varied_and_made_larger(made: Studio, home: Path) -> None:
    page = made.page
    use(page, "Variations of it", count="5,5", strength="0,2")
    box = page.locator("dialog.gs-work [name=count]")
    expect(box).to_have_value("5,5")  # as it was typed, and nothing is made of it
    expect(page.locator("dialog.gs-work .gs-error").first).to_contain_text("a whole number")
    box.fill("3")
    edges = "(box) => [box, box.closest('label')].map((one) => one.getBoundingClientRect().right)"
    inner, outer = box.evaluate(edges)
    assert inner <= outer  # it stays within its line
    page.locator("dialog.gs-work .gs-main-word").click()
    page.wait_for_selector(DONE)
    page.wait_for_function(
        "document.querySelectorAll('.gs-stage[data-state=done] img').length === 3"
    )
    use(page, "Make it larger", factor=1.5, strength=0.5, tiles=True)
    page.wait_for_selector(DONE)
    page.wait_for_function(
        "document.querySelector('.gs-stage[data-state=done] img')?.naturalWidth === 384"
    )
    newest = max((home / "outputs").glob("*.png"), key=lambda path: path.name)
    assert Image.open(newest).size == (384, 384)
    preset, _ = read_image(newest)
    assert preset.sampler.tiles and preset.init is not None and preset.init.enlarge == "pixels"
    expect(page.locator(".gs-progress")).to_contain_text(
        "16 passes"
    )  # two in two steps and four tiles


def test_more_is_painted_around_a_result_from_the_form(made: Studio) -> None:
    page = made.page
    use(page, "Paint more around it", left=0, top=0, right=0, bottom=0)
    dialog = page.locator("dialog.gs-work")  # is still there, and says it
    expect(dialog.get_by_text("At least one side needs more than 0 pixels.")).to_be_visible()
    dialog.locator("[name=left]").fill("64")
    dialog.locator(".gs-main-word").click()
    page.wait_for_function("document.querySelector('#gs-field-width .gs-number')?.value === '320'")
    made.generate()
    page.wait_for_function(
        "document.querySelector('.gs-stage[data-state=done] img')?.naturalWidth === 320"
    )
    assert made.rows()[0]["prompt"] == "a cat face"  # the rows stay


def test_several_pictures_are_started_from_in_turn(made: Studio, tmp_path: Path) -> None:
    files = []
    for name, colour in (("red.png", "red"), ("blue.png", "blue")):
        files.append(tmp_path / name)
        Image.new("RGB", (64, 64), colour).save(files[-1])
    made.unfold("Advanced")
    made.page.wait_for_function("window.studio?.start?.attached()")
    made.page.evaluate("studio.start.set(null)")  # what other tests have left says a strength
    made.page.set_viewport_size({"width": 390, "height": 844})
    made.page.get_by_label("Pictures to start from, one after another").set_input_files(files)
    strength = made.page.locator("dialog[open]").get_by_label("Strength").last
    expect(strength).to_have_value("0.75")
    strength.fill("0.5")
    made.page.get_by_role("button", name="Make them", exact=True).click()
    made.page.wait_for_function(
        "document.querySelectorAll('.gs-stage[data-state=done] img').length === 2"
    )
    captions = made.page.locator(".gs-stage figcaption").all_inner_texts()
    assert [text.split(" · ")[0].strip() for text in captions] == ["red.png", "blue.png"]
    cut = "nodes => nodes.filter((node) => node.scrollWidth > node.clientWidth + 1).length"
    assert made.page.locator(".gs-stage figcaption > span").evaluate_all(cut) == 0
    made.page.set_viewport_size({"width": 1440, "height": 950})
