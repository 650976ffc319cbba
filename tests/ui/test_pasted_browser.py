"""A preset's JSON that is pasted: into a prompt, where it is offered to be read, and onto the page."""

from __future__ import annotations

import json

import pytest

from studio.integrations.code import as_command
from studio.preset import parse
from studio.share import encode_link
from tests.support import REPOSITORY
from tests.support.other_tools import graph
from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser
PRESET = (REPOSITORY / "presets" / "02-negative-row.json").read_text(encoding="utf-8")
PROMPTS = ["a house on a green background", "in tweet style"]


def test_a_preset_that_is_pasted_is_read_and_no_prompt(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat"])
    page.evaluate("(text) => navigator.clipboard.writeText(text)", PRESET)
    studio.prompt(0).click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+v")
    card = studio.card(0)
    expect(card.get_by_text("This is a preset, not a prompt.")).to_be_visible()
    card.get_by_role("button", name="Read it into the form").click()
    studio.has_rows(PROMPTS)

    studio.use(["a cat"])
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+v")
    studio.has_rows(PROMPTS)

    broken = PRESET.replace('"weight": 5.0', '"weight": "much"', 1)
    assert broken != PRESET
    page.evaluate("(text) => navigator.clipboard.writeText(text)", broken)
    page.keyboard.press("Control+v")
    studio.says("rows.0.weight: must be a number, got 'much'", ".toast-body")
    studio.has_rows(PROMPTS)

    # A graph of another tool, as its API format has it; the keyboard is at a slider. Under a dialog,
    # which may be about a row that is there, nothing changes.
    page.evaluate("(text) => navigator.clipboard.writeText(text)", json.dumps(graph()))
    page.evaluate("void document.body.appendChild(document.createElement('dialog')).showModal()")
    page.keyboard.press("Control+v")
    studio.rest()
    studio.has_rows(PROMPTS)
    page.evaluate("void document.querySelector('dialog[open]')?.remove()")
    studio.card(0).locator(".gs-slider").focus()
    page.keyboard.press("Control+v")
    studio.has_rows(["a cat", "bad"])


def test_a_link_and_a_command_line_that_are_pasted_lead_to_their_preset(studio: Studio) -> None:
    page = studio.open().page
    preset = parse(PRESET)
    paste = "(text) => navigator.clipboard.writeText(text)"
    for copied in (as_command(preset), f"https://elsewhere.org/studio/?p={encode_link(preset)[0]}"):
        studio.use(["a cat"])
        page.evaluate(paste, copied)
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Control+v")
        if copied.startswith("https"):  # which is looked at first
            page.get_by_role("button", name="Open it").click()
        studio.has_rows(PROMPTS)


def test_a_pasted_line_tells_its_options_and_the_page_s_own_link_is_looked_at_again(
    studio: Studio,
) -> None:
    preset = parse(PRESET)
    page = studio.open(f"?p={encode_link(preset)[0]}").page
    paste = "(text) => navigator.clipboard.writeText(text)"
    if page.get_by_role("button", name="Open it").count():  # beside an edited form
        page.get_by_role("button", name="Open it").click()
    studio.has_rows(PROMPTS)
    studio.use(["a cat"])
    page.evaluate(paste, page.url)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+v")
    page.get_by_role("button", name="Open it").click()
    studio.has_rows(PROMPTS)
    page.evaluate(paste, as_command(preset).replace("- --out", "- --set cfg=3 --out"))
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+v")
    expect(page.locator(".gs-toast")).to_contain_text("without its options: --set cfg=3")


def test_a_long_text_in_a_prompt_is_said_to_be_too_long_and_the_page_goes_on(
    studio: Studio,
) -> None:
    """A mark for each of its words let the page stand still for minutes."""
    page = studio.open().page
    studio.use(["a cat"])
    page.evaluate("(text) => navigator.clipboard.writeText(text)", "a word " * 4000)
    studio.prompt(0).click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+v")
    card = studio.card(0)
    expect(card.get_by_text("28000 characters: at most 4000, take away 24000")).to_be_visible()
    expect(card.locator(".gs-marks > *")).to_have_count(0)
    studio.prompt(0).fill("a wordd")
    expect(card.locator(".gs-marks > u")).to_have_text("wordd")
