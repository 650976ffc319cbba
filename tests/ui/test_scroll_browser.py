"""What stays in sight: Generate and the picture beside many rows, and at twice the size."""

from __future__ import annotations

import pytest

from tests.support.studio_page import Studio

pytestmark = pytest.mark.browser


def box(desk: Studio, selector: str) -> dict[str, float]:
    found = desk.page.locator(selector).first.bounding_box()
    assert found is not None, selector
    return found


def test_generate_and_the_picture_stay_in_sight_on_twelve_rows(desk: Studio) -> None:
    desk.use([f"a star {i}" for i in range(12)])
    for _theme in ("light", "dark"):
        desk.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        desk.page.wait_for_timeout(200)
        for selector in ("#gs-generate", "#gs-tabs [role=tab]", ".gs-stage"):
            seen = box(desk, selector)
            assert seen["y"] >= 0 and seen["y"] + seen["height"] <= 950, selector
        dock, tabs = box(desk, "#gs-dock"), box(desk, "#gs-tabs [role=tab]")
        assert tabs["y"] >= dock["y"] + dock["height"] - 1
        desk.page.evaluate("studio.toggleTheme()")


def test_at_twice_the_size_the_bar_takes_less_than_a_quarter(desk: Studio) -> None:
    desk.page.set_viewport_size({"width": 720, "height": 450})
    desk.use(["a star"] * 4)
    dock = box(desk, "#gs-dock")
    assert dock["height"] < 450 / 4 and dock["y"] + dock["height"] <= 451
    cancel = box(desk, "#gs-cancel")
    assert cancel["x"] + cancel["width"] <= 720
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 720
    assert box(desk, ".gs-stage")["height"] + dock["height"] <= 450
    desk.page.set_viewport_size({"width": 1440, "height": 950})
