"""A text of prompts with settings of their own, dropped on the page, in Chromium."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_each_line_of_a_dropped_text_is_made_with_its_own_settings(studio: Studio) -> None:
    studio.open().use(["a cat"])
    page, before = studio.page, studio.moments()
    text = '--prompt "a star" --steps 3 --seed 11\\n--prompt a moon --steps 2 --seed 12'
    page.evaluate(f"studio.askFiles([new File(['{text}'], 'mine.txt')])")
    # What stands behind -- is no part of a prompt.
    expect(page.get_by_role("button", name="Prompts in turn, in row 1")).to_have_count(0)
    page.get_by_role("button", name="One picture for each line").click()
    studio.made_since(before, 2)
    studio.has_rows(["a cat"])  # the form stays
    said = page.locator(".gs-stage")
    for seed in ("seed 11", "seed 12"):
        expect(said).to_contain_text(seed)


def test_all_that_lines_name_and_that_is_not_carried_over_stays_until_it_is_closed(
    studio: Studio,
) -> None:
    studio.open().use(["a cat"], steps=1)
    page, before = studio.page, studio.moments()
    text = "\\n".join(f"--prompt {name} --restore_faces true" for name in "abcdefgh")
    page.evaluate(f"studio.askFiles([new File(['{text}'], 'mine.txt')])")
    page.get_by_role("button", name="One picture for each line").click()
    notes = page.get_by_label("Notes", exact=True)
    expect(notes).to_contain_text("Prompts of a text: 8 notes")
    expect(notes.get_by_role("listitem")).to_have_count(8)
    expect(notes).to_contain_text("line 8 · --restore_faces 'true' is not carried over")
    studio.made_since(before, 8)
    studio.speak("de")
    said = page.get_by_text("Textzeile 8 · --restore_faces 'true' wird nicht übernommen")
    expect(said).to_be_visible()
    studio.speak("en")
    page.get_by_role("button", name="Close the notes").click()
    expect(notes).to_have_count(0)
