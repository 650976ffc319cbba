"""The Train tab's form: the example, a reload, what a method hides, what is asked first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


@pytest.fixture
def example(desk: Studio) -> Iterator[Any]:
    """The tab with the example in it, as one press brings it."""
    desk.tab("Train")
    bring(desk.page)
    yield desk.page
    desk.tab("Result")


def bring(page: Any) -> None:
    """Press for the example, and wait for its texts and its pictures; what a test before wrote at
    them goes, which the example would not take away by itself."""
    page.evaluate("studio.pictures?.pictures.length && studio.pictures.keepOnly(() => false)")
    expect(page.locator(".gs-pic")).to_have_count(0)
    page.locator("#gs-train-word input").fill("something")
    page.click("#gs-train-examples")
    page.wait_for_function(  # its pictures may be there from the last time
        "document.querySelector('#gs-train-word input')?.value === 'hero'", polling=100
    )
    page.locator(".gs-pic img").nth(5).wait_for()


def test_the_example_is_one_press_and_survives_a_reload(desk: Studio, example: Any) -> None:
    texts = "() => studio.pictures.pictures.map((picture) => picture.caption)"
    captions = example.evaluate(texts)
    assert len(captions) == 6 and all("hero" in caption for caption in captions)
    example.get_by_label("Caption of hero-2.png").fill("a hero person at sea")
    example.locator("#gs-train-superclass input").fill("somebody")
    example.locator("#gs-train-superclass input").blur()
    example.wait_for_function(
        "localStorage['guidance-studio-training']?.includes('somebody')"
        " && localStorage['guidance-studio-training'].includes('at sea')",
        polling=100,
    )
    desk.open()
    desk.tab("Train")
    example.locator(".gs-pic img").nth(5).wait_for()
    example.wait_for_function(
        f"(wanted) => JSON.stringify(({texts})()) === JSON.stringify(wanted)",
        arg=[captions[0], "a hero person at sea", *captions[2:]],
    )
    expect(example.locator("#gs-train-superclass input")).to_have_value("somebody")


def test_pictures_that_are_removed_can_be_had_back(desk: Studio, example: Any) -> None:
    texts = "() => JSON.stringify(studio.pictures.pictures)"
    example.get_by_label("Caption of hero-2.png").fill("a hero person in the hills")
    before = example.evaluate(texts)
    for button in ("Remove all", "Remove hero-2.png", "Crop all to squares"):
        example.get_by_role("button", name=button).click()
        assert example.evaluate(texts) != before
        example.locator(".gs-toast").last.get_by_role("button", name="Undo").click()
        example.wait_for_function(f"(before) => ({texts})() === before", arg=before)
    form = "sessionStorage['guidance-studio-tab']"
    first = example.evaluate(form)
    example.locator(".gs-card .gs-prompt").first.fill("a step of the form")
    example.wait_for_function(f"{form}.includes('a step of the form')", polling=100)
    example.get_by_role("button", name="Remove hero-2.png").press("Enter")
    expect(example.get_by_role("button", name="Crop hero-3.png")).to_be_focused()  # what comes next
    before = example.evaluate(texts)
    example.evaluate(  # all that is said from now on
        "window.said = []; const { toast } = studio;"
        " studio.toast = (text) => said.push(text) && toast(text); null"
    )
    example.keyboard.press("Control+z")  # the last press, and not what was done to the rows before
    expect(example.get_by_role("button", name="Remove hero-2.png")).to_be_visible()
    assert example.evaluate(texts) != before
    example.keyboard.press("Control+z")  # and now the one step of the rows, which still stands
    example.wait_for_function(f"(first) => {form} === first", arg=first)
    (said,) = example.evaluate("said")
    assert said.startswith("Undone: prompt of row 1")
    example.get_by_role("button", name="Remove hero-2.png").press("Enter")
    example.get_by_label("Caption of hero-3.png").fill("a hero person at home")  # since then
    example.locator(".gs-toast").last.get_by_role("button", name="Undo").click()
    expect(example.get_by_label("Caption of hero-2.png")).to_have_value(
        "a hero person in the hills"
    )
    expect(example.get_by_label("Caption of hero-3.png")).to_have_value("a hero person at home")


def test_nothing_of_the_form_shows_through_what_stays_in_sight(desk: Studio, example: Any) -> None:
    """Gradio lifts the labels of its fields above its own layers."""
    desk.unfold("Steps, rates, samples")  # long enough to be scrolled
    covered = """() => {
        const now = document.getElementById("gs-train-now").getBoundingClientRect();
        const label = document.querySelector("#gs-train-template [data-testid=block-info]");
        const right = document.getElementById("gs-right");
        right.scrollTop += label.getBoundingClientRect().top - now.bottom + 30;
        const { left, top, width, height } = label.getBoundingClientRect();
        const over = document.elementFromPoint(left + width / 2, top + height / 2);
        return top > now.top && Boolean(over.closest("#gs-train-now"));
    }"""
    example.wait_for_function(covered, polling=200)


def test_a_sample_s_weight_has_a_row_s_bounds(desk: Studio, example: Any) -> None:
    """Not told at every sample of a training, in terms of a row that nobody made."""
    desk.unfold("Steps, rates, samples")
    box = example.locator("#gs-train-field-sample_weight input").first
    box.fill("5000")
    desk.says("from −1000 to 1000", "#gs-train-field-sample_weight .gs-error")
    box.fill("5")
    box.blur()


def test_a_concept_hides_what_it_does_not_read(desk: Studio, example: Any) -> None:
    def choose(title: str) -> None:
        example.locator("#gs-train").get_by_label("Method", exact=True).click()
        example.get_by_role("option", name=title, exact=True).click()

    for field in ("word", "superclass"):
        expect(example.locator(f"#gs-train-{field}")).to_be_visible()
    choose("Concept network (pictures alone)")
    for field in ("word", "superclass"):
        example.locator(f"#gs-train-{field}").wait_for(state="hidden")
    caption = example.locator(".gs-pic-caption").first
    caption.wait_for(state="hidden")  # what it does not read either
    example.locator("#gs-train-fill").wait_for(state="hidden")
    expect(example.locator(".gs-pic").first).to_be_visible()
    choose("LoRA")
    example.locator("#gs-train-word").wait_for()
    caption.wait_for()
    name, fault = example.locator("#gs-train-name input"), "#gs-train .gs-error[role=alert]"
    name.fill("my hero?")
    desk.says("'my hero?' cannot be a model's name", fault)  # below it, before a press
    name.fill("our-hero-2")
    example.locator(fault, has_text="model's name").wait_for(state="detached")


def test_one_picture_or_no_superclass_is_asked_about_first(
    desk: Studio, example: Any, home: Path
) -> None:
    example.get_by_role("button", name="Remove all").click()
    example.locator(".gs-pic").first.wait_for(state="detached")
    bring(example)
    for number in range(1, 6):
        example.get_by_role("button", name=f"Remove hero-{number}.png").click()
    example.locator("#gs-train-superclass input").fill("")
    name = example.locator("#gs-train-name input").input_value()
    example.click("#gs-train-start")
    desk.says("There is one picture only", "#gs-train-asking")
    desk.says("There is no superclass", "#gs-train-asking")
    example.get_by_role("button", name="Not yet").click()
    example.locator("#gs-train-agree").wait_for(state="hidden")
    example.click("#gs-train-start")
    example.locator("#gs-train-agree").wait_for()
    example.locator("#gs-train-superclass input").fill("person")  # what was asked is answered
    example.locator("#gs-train-agree").wait_for(state="hidden")
    assert not (home / "training" / name / "pictures").exists()
