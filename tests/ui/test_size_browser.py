"""The size of a picture of the form as that of the picture to be made, in Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser


def test_width_and_height_are_taken_from_the_picture_to_start_from(
    studio: Studio, tmp_path: Path
) -> None:
    wide = tmp_path / "wide.png"
    Image.new("RGB", (320, 160), "navy").save(wide)
    studio.open().use(["a cat"])
    page = studio.page
    sizes = page.get_by_label("Aspect ratio")
    studio.unfold("Advanced")
    page.set_input_files(".gs-start > input[type=file]", wide)
    own = sizes.locator("option", has_text="As the start picture · 320 × 160")
    expect(own).to_have_count(1)
    sizes.select_option(value="As the start picture")
    sides = page.locator(".gs-side input")
    expect(sides.first).to_have_value("320")
    expect(sides.last).to_have_value("160")
    expect(page.locator("#gs-plan")).not_to_contain_text("its middle is taken")
    page.get_by_role("button", name="Start from noise").click()
    expect(own).to_have_count(0)
