"""The masks of all rows over one picture, painted each in its own colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def white(home: Path, reference: str) -> np.ndarray:
    """Where a stored mask is white, as a map of thirds by thirds."""
    mask = np.asarray(
        Image.open(home / reference).convert("L").resize((3, 3), Image.Resampling.BOX)
    )
    return mask > 100


def test_each_row_gets_what_is_painted_in_its_colour(desk: Studio, home: Path) -> None:
    desk.use(["a cat face", "a dog face", "a rocket"])
    page = desk.page
    page.get_by_role("button", name="Masks", exact=True).click()
    dialog = page.locator("dialog.gs-painter")
    frame = dialog.locator(".gs-canvas").bounding_box()
    assert frame is not None
    expect(dialog.locator("canvas")).to_have_count(3)

    def stroke(across: float) -> None:
        x = frame["x"] + frame["width"] * across
        page.mouse.move(x, frame["y"] + 5)
        page.mouse.down()
        page.mouse.move(x, frame["y"] + frame["height"] - 5, steps=4)
        page.mouse.up()

    dialog.get_by_label("Brush size").fill("80")
    stroke(1 / 6)
    dialog.get_by_role("button", name="2: a dog face").click()
    stroke(5 / 6)
    dialog.get_by_role("button", name="Use masks").click()
    page.wait_for_function("studio.stack.cards[1]?.row.mask.startsWith('inputs/')")
    first, second, third = (row["mask"] for row in desk.rows())
    assert white(home, first)[:, 0].all() and not white(home, first)[:, 2].any()
    assert white(home, second)[:, 2].all() and not white(home, second)[:, 0].any()
    assert third == ""  # not painted, so that it acts everywhere
    page.get_by_role("button", name="Masks", exact=True).click()
    dialog.get_by_role("button", name="2: a dog face").click()
    dialog.get_by_role("button", name="None").click()
    dialog.get_by_role("button", name="Use masks").click()
    page.wait_for_function("studio.stack.cards[1]?.row.mask === ''")
    assert desk.rows()[0]["mask"] == first  # what was not touched stays
