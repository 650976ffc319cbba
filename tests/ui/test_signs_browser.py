"""What the page says by itself: whose a term is, why there is no share, what failed, what is edited."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser
BAR = "#gs-progress .gs-progress"


def terms(desk: Studio, names: list[str]) -> None:
    """Wait until the terms of the equation name these rows, in this order."""
    desk.page.wait_for_function(
        "(names) => JSON.stringify([...document.querySelectorAll('.gs-term')]"
        ".map((term) => term.title).filter((name) => name.startsWith('row'))) === names",
        arg=json.dumps(names, separators=(",", ":")),
        polling=100,
    )


def test_terms_stand_in_the_order_of_the_rows_and_name_them(desk: Studio) -> None:
    desk.use(["a cat face", "in flat style"])
    terms(desk, ["row 1: a cat face", "row 2: in flat style"])
    desk.press(1, "Move row up")
    terms(desk, ["row 1: in flat style", "row 2: a cat face"])
    base = desk.page.locator(".gs-term").first
    expect(base).to_have_attribute("title", "the base term, which rows are compared with")


@needs_starter
def test_a_negative_stack_has_shares_and_a_row_without_one_its_reason(desk: Studio) -> None:
    desk.use(["a cat face", "in flat style", "on a blue background"], steps=1)
    for index, weight in enumerate((-3, -1, 0)):
        desk.weigh(index, weight)
    desk.tab("Result")
    desk.generate()
    desk.says("no share: its weight is 0", ".gs-card:nth-child(3) .gs-share")
    parts = [desk.card(i).locator(".gs-share-text").inner_text() for i in (0, 1)]
    assert sum(int(part.split()[1]) for part in parts) in (99, 100, 101)


def test_syntax_of_other_tools_is_answered_or_meant(desk: Studio) -> None:
    desk.use(["<lora:x:1> {word} {cat face|dog face} BREAK a cat face"])
    hints = desk.card(0).locator(".gs-prompt-hints p")
    hints.nth(1).wait_for()
    said = " ".join(hints.all_inner_texts())
    assert "choose the LoRA" in said and "{a|b} is one of the two" in said
    expect(desk.card(0).locator(".gs-marks u")).to_have_count(0)  # and no word is called unknown


def test_a_name_is_marked_once_its_preset_is_edited(desk: Studio) -> None:
    heading = "#gs-heading"
    desk.page.locator("#gs-top input[type=file]").first.set_input_files(
        REPOSITORY / "presets" / "01-plain-guidance.json"
    )
    desk.page.wait_for_selector(f"{heading}:not(.gs-edited)")
    desk.page.wait_for_function(
        "studio.stack.cards[0]?.row.prompt.startsWith('a rocket')"
        " && sessionStorage['guidance-studio-loaded']?.includes('a rocket')",
        polling=100,
    )
    desk.prompt(0).fill("a cat face")
    desk.page.wait_for_selector(f"{heading}.gs-edited")


def test_words_are_written_from_their_own_side(desk: Studio) -> None:
    desk.use(["חתול"])
    for label in ("Prompt of this row", "Preset", "Description"):
        box = desk.page.get_by_label(label, exact=True).first
        box.fill("חתול")
        expect(box).to_have_css("direction", "rtl")
        box.fill("a cat")
        expect(box).to_have_css("direction", "ltr")


@needs_starter
def test_a_deleted_model_is_missing_after_a_rescan_and_after_a_run_that_failed_for_it(
    desk: Studio, home: Path
) -> None:
    desk.use(["a hero"])
    shipped = REPOSITORY / "assets" / "starter" / "lora-hero"
    copied = home / "models" / "loras" / "fleeting"
    shutil.copytree(shipped, copied)
    try:
        desk.tab("Models")
        desk.page.click("#gs-rescan")
        line = desk.page.locator(".gs-model-line").filter(has_text="fleeting")
        line.get_by_role("button", name="in a row").click()
        desk.says("fleeting", "#gs-plan .gs-equation")
        shutil.rmtree(copied)
        desk.page.click("#gs-rescan")
        desk.says("fleeting", "#gs-plan .gs-missing")
        shutil.copytree(shipped, copied)
        desk.page.click("#gs-rescan")
        expect(desk.page.locator("#gs-plan .gs-missing")).to_have_count(0)
        shutil.rmtree(copied)
        desk.page.click("#gs-generate")
        desk.says("fleeting", "#gs-plan .gs-missing")
        shutil.copytree(shipped, copied)
        desk.tab("Models")
        desk.page.click("#gs-rescan")
        desk.says("fleeting", "#gs-plan .gs-equation")
        weights = copied / "pytorch_lora_weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
        desk.page.click("#gs-generate")
        desk.says("cannot be used: is damaged", "#gs-plan .gs-plan-bad")
        expect(desk.page.locator(".gs-stage")).not_to_contain_text("forms here")
    finally:
        desk.tab("Models")
        shutil.rmtree(copied, ignore_errors=True)
        desk.press(1, "Delete row")
        desk.page.click("#gs-rescan")
        line.first.wait_for(state="detached")
        desk.tab("Result")


def test_the_help_says_what_the_drift_is(desk: Studio) -> None:
    desk.tab("Help")
    desk.says("how far the personalised weights lead away from the base", "#gs-help")
    desk.tab("Result")


def test_use_via_api_asks_for_nothing_that_is_not_there(desk: Studio) -> None:
    refused = []
    desk.page.on(
        "response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None
    )
    desk.page.get_by_role("button", name="Use via API").click()
    desk.page.get_by_text("/generate", exact=True).first.wait_for()
    desk.page.keyboard.press("Escape")
    assert not refused


def test_fields_that_change_nothing_say_so(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.says("no row that takes part", "#gs-field-omega")
    desk.says("takes part has parts joined", "#gs-field-decoupling")
    desk.prompt(0).fill("a cat AND in flat style")
    desk.page.wait_for_selector("#gs-field-decoupling :not(.gs-dim) .gs-idle", state="hidden")
