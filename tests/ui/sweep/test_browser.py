"""The Sweep tab in a real browser: by keyboard, stopped, after a reload, on a phone."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.studio_page import BRAKE, Studio, expect, needs_starter
from tests.ui.test_looks_browser import fits, neither_light_nor_dark

pytestmark = [pytest.mark.browser, needs_starter]

MADE = "document.querySelectorAll('.gs-sweep-cell img').length === %d"
STARTS = "document.querySelector('.gs-sweep-start')?.textContent === '%s'"


@pytest.mark.timeout(600)
def test_a_sweep_from_a_fields_name_to_a_closer_one(
    studio: Studio, hold: Callable[..., None], home: Path, tmp_path: Path
) -> None:
    page = studio.open().page
    studio.use(["a cat face"], steps=1)
    hold("a moon")  # the second cell stands still
    studio.tab("Sweep")
    start = page.locator(".gs-sweep-start")
    expect(start).to_have_css("opacity", "0.5")  # nothing is varied yet, and it says so
    start.focus()
    page.keyboard.press("Enter")
    studio.says("Choose a field to vary first.", ".gs-toasts")
    page.get_by_role("button", name="Vary the prompt of this row in a sweep").focus()
    page.keyboard.press("Enter")
    prompts = page.get_by_label("Across: values of prompt of row 1")
    page.wait_for_function("document.activeElement.matches('.gs-axis textarea')")
    prompts.fill("a cat face\na moon")
    page.get_by_role("button", name="Vary the weight of this row in a sweep").click()
    weights = page.get_by_label("Down: values of weight of row 1")
    weights.fill("2, 4000")
    studio.says("must be at most", ".gs-axis .gs-error")
    weights.fill("2,4")
    studio.says("4 pictures (2 × 2) · 8 passes", ".gs-sweep-cost")

    start.press("Enter")
    expect(page.get_by_role("button", name="Stop", exact=True).first).to_be_focused()
    page.wait_for_function(MADE % 1)
    neither_light_nor_dark(page, "a sweep")
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page, "a sweep")
    page.set_viewport_size({"width": 1440, "height": 950})
    studio.says("Sweep: 1 of 4", ".gs-around")
    expect(page).to_have_title("25 % · Guidance Studio")
    page.keyboard.press("Escape")  # as Cancel, and the tab's own Stop
    studio.says("Stopped: 1 of 4 pictures are made.", ".gs-sweep-status")
    studio.says("Sweep: Stopped: 1 of 4 pictures are made.", ".gs-around")
    expect(page).to_have_title(re.compile("^(✓ )?Guidance Studio$"))
    page.click("#gs-cancel")
    studio.says("Nothing of this page runs, so there was nothing to cancel.", ".gs-toasts")

    page.reload()
    page.wait_for_selector(".gs-card")
    (home / BRAKE).unlink()
    studio.tab("Sweep")
    page.wait_for_function(f"{MADE % 1} && {STARTS % 'Go on'}")
    page.click(".gs-sweep-start")
    page.wait_for_function(f"{MADE % 4} && {STARTS % 'Show'}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "sweep.csv")
    with (tmp_path / "sweep.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [(line["rows.0.prompt"], line["rows.0.weight"]) for line in table] == [
        (prompt, weight) for weight in ("2", "4") for prompt in ("a cat face", "a moon")
    ]

    page.locator(".gs-sweep-cell").last.click()
    page.locator(".gs-sweep-dialog[open]").get_by_role("button", name="Use it").click()
    page.wait_for_function("studio.stack.cards[0]?.row.weight === 4")
    studio.says("4 pictures (2 × 2) · 8 passes · all are here already", ".gs-sweep-cost")
    page.wait_for_function(STARTS % "Show")
    expect(page.get_by_text("This grid is of the form and the values")).to_have_count(0)

    page.locator(".gs-sweep-cell").first.focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    dialog = page.locator(".gs-sweep-dialog[open]")
    dialog.get_by_text("prompt of row 1 a moon, weight of row 1 4").wait_for()
    before = studio.moments()
    dialog.get_by_role("button", name="Keep in the History").click()
    expect(page.locator(".gs-toast", has_text="It is in the History now.")).to_be_visible()
    studio.made_since(before, 1)
    dialog.get_by_role("button", name="Sweep around it").click()
    studio.says("3 pictures · 6 passes", ".gs-sweep-cost")
    expect(page.get_by_label("Across: values of weight of row 1")).to_have_value("3:5:1")
    expect(page.locator(".gs-toast", has_text="Other fields are varied now.")).to_be_visible()
    assert [(row["prompt"], row["weight"]) for row in studio.rows()] == [("a moon", 4)]
    earlier = page.get_by_text("This grid is of the form and the values as they were")
    expect(earlier).to_be_visible()
    page.get_by_role("button", name="Undo").first.click()
    page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a cat face'")

    # Another day: what was swept is found, its form and its grid, and is removed when asked.
    beside = Studio(page.context.new_page(), studio.address).open()
    beside.use(["something else"])
    beside.tab("Sweep").locator(".gs-earlier summary").click()
    of_then = beside.page.locator(".gs-earlier-open", has_text="prompt of row 1 × weight of row 1")
    expect(of_then).to_contain_text("4 of 4")
    of_then.click()
    beside.has_rows(["a cat face"])
    beside.page.wait_for_function(MADE % 4)
    beside.page.once("dialog", lambda question: question.accept())
    beside.page.get_by_role("button", name="Remove this sweep").first.click()
    expect(of_then).to_have_count(0)
    # Its form is here still: nothing of it is made, and nothing of it is shown.
    expect(beside.page.locator(".gs-sweep-start")).to_have_text("Start")
    expect(beside.page.locator(".gs-sweep-cell")).to_have_count(0)
    beside.page.close()


def test_an_axis_stays_with_its_row(desk: Studio) -> None:
    """Another row's weight is not varied without a word because the rows were moved."""
    page = desk.page
    desk.use(["a cat face", "a moon"], steps=1)
    desk.card(1).get_by_role("button", name="Vary the weight of this row in a sweep").click()
    page.get_by_label("Across: values of weight of row 2").fill("2,4")
    fields = page.locator(".gs-axis select")
    desk.press(1, "Move row up")
    expect(fields).to_have_value("rows.0.weight")
    page.get_by_role("button", name="Undo").first.click()
    page.wait_for_function("studio.stack.cards[1]?.row.prompt === 'a moon'")
    expect(fields).to_have_value("rows.1.weight")
    desk.press(0, "Delete row")
    expect(fields).to_have_value("rows.0.weight")
    desk.press(0, "Delete row")
    desk.says("choose a field", ".gs-axis .gs-error")
    desk.says("went with its row", ".gs-toast")
    expect(page.locator(".gs-axis input")).to_have_value("2,4")
    page.get_by_role("button", name="Undo").first.click()
    expect(fields).to_have_value("rows.0.weight")
    page.get_by_role("button", name="Do not vary").click()
    page.locator(".gs-toast", has_text="is varied no more").get_by_role("button").click()
    expect(page.locator(".gs-axis input")).to_have_value("2,4")
    page.get_by_role("button", name="Do not vary").click()
    page.get_by_role("button", name="ω", exact=False).first.click()  # the field's own name
    desk.says("Changes nothing now: no row", ".gs-sweep-cost")
    page.evaluate("for (const name of ['decoupling', 'sampler.steps']) studio.axes.add(name, '1')")
    full = page.get_by_role("button", name="Vary a field")
    full.click(force=True)  # it stops, and says why
    desk.says("Three fields are varied already", ".gs-toast")
    expect(full).to_have_attribute("title", re.compile("^Three fields"))
    for _ in range(3):
        page.get_by_role("button", name="Do not vary").first.click()
    expect(full).not_to_have_attribute("title", re.compile("."))
    searched = "Prompt S/R (search and replace)"
    for side, texts in (("Across", "moon\nsun\nstar"), ("Down", "a \nthe \n")):
        full.click()
        page.get_by_label(f"{side}: the field").select_option(label=searched)
        page.get_by_label(f"{side}: values of Prompt S/R").fill(texts)
    expect(page.locator(".gs-axis .gs-field-help").first).to_contain_text("The first text is")
    desk.says("6 pictures (3 × 2)", ".gs-sweep-cost")


def test_a_button_that_adds_no_more_rows_says_why(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat face"], steps=1)
    page.evaluate("[studio.stack.before, studio.stack.most] = [studio.stack.most, 1]")
    page.evaluate("studio.stack.arrange()")
    page.locator(".gs-add").click(force=True)
    desk.says("1 rows, as many as this page takes.", ".gs-toast")
    expect(page.locator(".gs-add")).to_have_attribute(
        "title", "1 rows, as many as this page takes."
    )
    assert len(desk.rows()) == 1
    page.evaluate("studio.stack.most = studio.stack.before; studio.stack.arrange()")
    page.click(".gs-add")
    assert len(desk.rows()) == 2


def test_a_rows_lora_is_varied_over_others_of_its_base(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a hero"], steps=1)
    studio.card(0).get_by_label("Model of this row").select_option(label="The hero (LoRA)")
    studio.tab("Sweep")
    page.get_by_role("button", name="Vary a field").click()
    page.get_by_label("Across: the field").select_option(label="Row 1: LoRA")
    values = page.get_by_label("Across: values of LoRA of row 1")
    expect(values).to_have_value(re.compile("^starter/lora-hero\n(starter/[a-z-]+\n?){2,5}$"))
    values.fill("starter/lora-hero\nstarter/lora-blob")
    studio.says("2 pictures", ".gs-sweep-cost")
    page.click(".gs-sweep-start:enabled")
    page.wait_for_function(MADE % 2)
    studio.says("starter/lora-blob", ".gs-sweep")


def test_each_page_of_a_grid_names_what_is_across_and_down(desk: Studio) -> None:
    captions = desk.page.evaluate(
        """() => {
          const grid = studio.sweepGrid({ open() {}, titles: { omega: "ω", base: "Base model" } });
          const values = [0, 1];
          const three = ["omega", "rows.0.weight", "base"].map((field) => ({ field, values }));
          grid.read(three);
          return [...grid.element.querySelectorAll("caption")].map((one) => one.textContent);
        }"""
    )
    assert captions == [f"Base model: {page} · ω × weight of row 1" for page in (0, 1)]


def test_every_choice_of_a_prompt_becomes_an_axis(desk: Studio) -> None:
    page = desk.page
    desk.use(["a {cat|dog}{, red|}"], steps=1)
    page.evaluate("studio.axes.replace([])")
    desk.card(0).get_by_role("button", name="Every choice in turn").click()
    values = page.get_by_label("Across: values of prompt of row 1")
    expect(values).to_have_value("a cat, red\na cat\na dog, red\na dog")
    desk.says("4 pictures", ".gs-sweep-cost")
    page.get_by_role("button", name="Do not vary prompt of row 1").click()
    desk.card(0).get_by_role("button", name="Every choice in turn").hover()
    page.mouse.down()
    page.evaluate("studio.stack.refresh()")  # as when models come: a press that has begun ends
    page.mouse.up()
    expect(values).to_have_value("a cat, red\na cat\na dog, red\na dog")
    desk.prompt(0).fill("a __nobody__")
    desk.card(0).get_by_role("button", name="Every choice in turn").click()
    desk.says("there is no wildcard 'nobody'", ".gs-toasts")
    page.get_by_role("button", name="Do not vary prompt of row 1").click()


def test_styles_are_an_axis(studio: Studio, home: Path) -> None:
    (home / "styles").mkdir(exist_ok=True)
    style = home / "styles" / "of-a-sweep.json"
    red = {"name": "Painted red", "prompt": "{prompt}, on a red background"}
    style.write_text(json.dumps([red, {"name": "Tagged", "prompt": "x <lora:mine:1>"}]))
    page = studio.open().page
    studio.use(["a cat face"], steps=1)
    studio.tab("Sweep")
    page.get_by_role("button", name="Vary a field").click()
    page.get_by_label("Across: the field").select_option("style")
    values = page.get_by_label("Across: values of Style")
    expect(values).to_have_value(re.compile('^""\\n.*Painted red', re.DOTALL))
    expect(values).not_to_have_value(re.compile("Tagged"))
    values.fill('""\nPainted red')
    studio.says("2 pictures", ".gs-sweep-cost")
    page.locator(".gs-sweep-start").click()
    page.wait_for_function(MADE % 2)
    page.locator(".gs-sweep-cell").nth(1).click()
    page.get_by_role("button", name="Use it", exact=True).first.click()
    studio.has_rows(["a cat face, on a red background"])
    page.keyboard.press("Escape")
    studio.tab("Sweep")
    studio.says("its text stands in the rows already", ".gs-sweep-cost")
    style.unlink()
