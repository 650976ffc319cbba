"""Undo over the whole preset, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import Studio
from tests.support.studio_page import expect as shown

pytestmark = pytest.mark.browser


def expect(page: Any, weight: float, prompt: str) -> None:
    page.wait_for_function(
        "([w, p]) => { const r = window.studio?.stack?.cards[0]?.row; return r?.weight === w && r.prompt === p; }",
        arg=[weight, prompt],
    )


def is_step(studio: Studio, weight: float) -> None:
    """Wait until an edit is taken down, and so long that the next one of its field is a step of
    its own."""
    studio.page.wait_for_function(
        "(weight) => JSON.parse(JSON.parse(sessionStorage['guidance-studio-undo'] || '{}').now || '{}')"
        ".rows?.[0]?.weight === weight",
        arg=weight,
        polling=100,
    )
    studio.rest(1500)


@pytest.mark.timeout(600)
def test_every_change_is_undone_by_name_and_survives_a_reload(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat"])
    is_step(studio, 5)
    studio.weigh(0, 6.5)
    is_step(studio, 6.5)
    studio.weigh(0, -7)
    is_step(studio, -7)
    page.locator("h1").click()
    page.get_by_role("button", name="Solo").focus()
    page.keyboard.press("Control+z")
    page.get_by_text("Undone: weight of row 1: 6.5 → -7").wait_for()
    expect(page, 6.5, "a cat")
    studio.rest(500)  # the rows are made anew, and the keyboard is where it was
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Solo")
    studio.rest(1800)  # while it takes up what was undone
    page.reload()
    expect(page, 6.5, "a cat")
    page.wait_for_selector("body:not([inert])")
    page.wait_for_selector(".gs-cost")  # the plan: what the page asks as it opens is answered
    studio.rest(1000)
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    expect(page, 5, "a cat")
    for weight in (6.5, -7):
        studio.rest(300)
        page.locator("h1").click()
        page.keyboard.press("Control+Shift+z")
        expect(page, weight, "a cat")


def test_a_loaded_preset_is_one_step_and_the_old_form_comes_back(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["my own words"])
    studio.weigh(0, 4)
    is_step(studio, 4)
    studio.tab("Presets")
    page.locator("#gs-shelf .gs-preset").first.click()
    page.wait_for_function("studio.stack.cards[0]?.row.prompt !== 'my own words'")
    page.wait_for_function(
        "!sessionStorage['guidance-studio-tab'].includes('my own words')", polling=100
    )
    studio.rest(1500)
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    expect(page, 4, "my own words")


def test_steps_undone_faster_than_the_server_answers_all_come(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat"])
    is_step(studio, 5)
    for weight in (6, 7, 8):
        studio.weigh(0, weight)
        is_step(studio, weight)
    held, free = [], []
    page.route("**/queue/join*", lambda route: route.continue_() if free else held.append(route))
    for _ in range(3):
        page.get_by_role("button", name="Undo (Ctrl+Z)").click()
        studio.rest(300)
    free.append(True)
    for route in held:
        route.continue_()
    expect(page, 5, "a cat")
    studio.rest(1800)
    for weight in (6, 7, 8):
        page.get_by_role("button", name="Redo (Ctrl+Shift+Z)").click()
        expect(page, weight, "a cat")
        studio.rest(300)


def test_an_emptied_box_is_one_step_and_redo_outlives_it(studio: Studio) -> None:
    """Gradio writes an empty box as "", and the page holds it as null."""
    page = studio.open().page
    steps, width = (
        page.locator(f"#gs-field-{name} .gs-number").first for name in ("steps", "width")
    )
    for box, value in ((width, "320"), (width, ""), (steps, "9"), (steps, "11")):
        box.fill(value)
        box.blur()
        studio.rest(1500)
    for way, said in (
        ("Control+z", "Undone: Steps: 9 → 11"),
        ("Control+z", "Undone: Steps: 25 → 9"),
        ("Control+z", "Undone: Width: 320 → none"),
        ("Control+Shift+z", "Done again: Width: 320 → none"),
        ("Control+Shift+z", "Done again: Steps: 25 → 9"),
    ):
        page.locator("h1").click()
        page.keyboard.press(way)
        page.get_by_text(said).first.wait_for()
        studio.rest(1800)


def test_a_row_that_is_open_stays_so_where_a_step_is_taken_back_in_it(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat", "a dog"])
    studio.rest(1800)
    studio.press(1, "More: adapters")
    end = studio.card(1).get_by_role("textbox", name="End of the range")
    end.fill("0.5")
    end.blur()
    studio.rest()
    for keys, value in (("Control+z", "1"), ("Control+Shift+Z", "0.5"), ("Control+z", "1")):
        page.keyboard.press(keys)
        shown(end).to_have_value(value)
        shown(end).to_be_visible()
    shown(studio.card(0).get_by_role("textbox", name="End of the range")).to_be_hidden()
    studio.load(REPOSITORY / "presets" / "02-negative-row.json")  # its rows are others
    studio.has_rows(["a house on a green background", "in tweet style"])
    shown(end).to_be_hidden()


def test_width_and_height_are_swapped_in_one_step(studio: Studio) -> None:
    page = studio.open().page
    studio.set("Width", "384")
    studio.set("Height", "192")
    width = page.get_by_label("Width", exact=True).first
    height = page.get_by_label("Height", exact=True).first
    studio.rest(1500)
    page.get_by_role("button", name="Swap width and height").click()
    shown(width).to_have_value("192")
    shown(height).to_have_value("384")
    studio.rest(1500)
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    shown(width).to_have_value("384")
    shown(height).to_have_value("192")
    aspect = page.get_by_label("Aspect ratio")
    shown(aspect).to_have_value("")  # none of them
    aspect.select_option("16:9")
    sides = [
        int(aspect.locator(":checked").inner_text().strip("\u2066\u2069").split()[n])
        for n in (2, 4)
    ]
    assert sides[0] > sides[1]
    for side, box in zip(sides, (width, height), strict=True):
        shown(box).to_have_value(str(side))
    studio.rest(1500)
    page.locator("h1").click()
    page.keyboard.press("Control+z")
    shown(width).to_have_value("384")
    shown(height).to_have_value("192")
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("New random seed", "A new seed each time", "Swap width and height"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None and box["width"] < 60, name  # the fields have the room
    seed = page.get_by_label("Seed (−1: new each time)", exact=True).first.bounding_box()
    turn = page.get_by_role("button", name="A new seed each time").bounding_box()
    assert seed and turn and abs(seed["y"] - turn["y"]) < 12  # beside it, not below


def test_a_weight_by_key_in_a_prompt_that_was_pasted_over_another_is_taken_back_alone(
    studio: Studio,
) -> None:
    page = studio.open().page
    studio.use(["a cat on a mat"])
    studio.rest(1500)
    prompt = studio.card(0).get_by_label("Prompt of this row", exact=True)
    prompt.click()
    prompt.press("Control+a")
    page.keyboard.insert_text("a dog, red")  # as pasted, or by an input method
    studio.rest(1500)
    prompt.press("Control+ArrowUp")
    shown(prompt).to_have_value("a dog, (red:1.1)")
    studio.rest(1500)
    for text in ("a dog, red", "a cat on a mat"):
        prompt.press("Control+z")
        shown(prompt).to_have_value(text)
        studio.rest(400)
    prompt.press("Control+Shift+z")
    shown(prompt).to_have_value("a dog, red")
