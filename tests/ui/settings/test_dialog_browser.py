"""An open dialog among what else the page does: its lines at the foot, the key of Generate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser


def test_lines_that_stood_there_before_a_dialog_are_read_and_closed_over_it(
    studio: Studio, tmp_path: Path
) -> None:
    page = studio.open().page
    plain = tmp_path / "plain.png"
    Image.new("RGB", (32, 32)).save(plain)
    studio.load(plain)
    studio.says("the image carries no preset", ".toast-body")
    page.evaluate("studio.toast('a line of the page itself')")
    page.get_by_role("button", name="Settings").first.click()
    dialog = page.get_by_role("dialog", name="Settings")
    expect(dialog.locator(".gs-toast")).to_be_visible()
    dialog.locator(".toast-body").get_by_role("button").last.click()
    expect(page.locator(".toast-body")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("body .toast-wrap")).to_have_count(1)  # at home again
    other = tmp_path / "other.png"
    Image.new("RGB", (32, 32)).save(other)
    studio.load(other)
    studio.says("the image carries no preset", ".toast-body")


def test_the_key_of_generate_keeps_a_dialogs_field_and_begins_no_run(
    studio: Studio, settings_file: Path
) -> None:
    page = studio.open().page
    presses: list[str] = []
    page.expose_function("pressed", lambda: presses.append("generate"))
    page.evaluate(
        "document.getElementById('gs-generate').addEventListener('click', () => pressed())"
    )
    page.get_by_role("button", name="Settings").first.click()
    row = page.locator("[data-setting='long_run']")
    field = row.get_by_label("A long run", exact=True)
    field.press("Control+A")
    field.press_sequentially("33")
    field.press("Control+Enter")
    row.get_by_text("set here").wait_for()
    assert json.loads(settings_file.read_text()) == {"long_run": 33}
    expect(field).to_be_focused()
    assert presses == []
