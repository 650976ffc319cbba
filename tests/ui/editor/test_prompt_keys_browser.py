"""Keys in a prompt: they write it anew, and Ctrl+Z takes back what they wrote."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser


def test_what_a_key_wrote_is_taken_back_by_ctrl_z_at_once(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat"])
    studio.rest(1500)
    prompt = studio.prompt(0)
    prompt.press("End")
    prompt.press_sequentially(" face")
    studio.rest(1500)
    page.keyboard.press("Control+ArrowUp")
    expect(prompt).to_have_value("a cat (face:1.1)")
    page.keyboard.press("Control+z")
    expect(prompt).to_have_value("a cat face")
    page.keyboard.press("Control+z")
    expect(prompt).to_have_value("a cat")


def test_alt_and_an_arrow_move_the_part_at_the_cursor_and_leave_the_page(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat, red, flat"])
    prompt = studio.prompt(0)
    prompt.press("End")
    page.keyboard.press("Alt+ArrowLeft")
    expect(prompt).to_have_value("a cat, flat, red")
    page.keyboard.press("Alt+ArrowLeft")
    page.keyboard.press("Alt+ArrowLeft")  # it is the first already
    expect(prompt).to_have_value("flat, a cat, red")
    page.keyboard.press("Alt+ArrowRight")
    expect(prompt).to_have_value("a cat, flat, red")
