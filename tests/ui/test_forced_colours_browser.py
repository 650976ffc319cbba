"""Forced colours (Windows' high contrast): what a background alone would draw is seen all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.studio_page import Studio

pytestmark = pytest.mark.browser
GROUND = "(node, part) => getComputedStyle(node, part).backgroundColor"


def test_signs_the_chosen_tab_and_buttons_are_seen_with_forced_colours(studio: Studio) -> None:
    page = studio.open().page
    page.emulate_media(forced_colors="active")

    def ground(which: Any, part: str | None = None) -> str:
        return page.locator(which).first.evaluate(GROUND, part)

    for name in ("dice", "reseed", "swap", "theme", "open-settings"):
        assert ground(f"#gs-{name}", "::before") != ground(f"#gs-{name}"), name
    tab = "#gs-tabs [role=tab][aria-selected=%s]"
    assert ground(tab % "true") != ground(tab % "false")
    colour = "node => getComputedStyle(node).color"
    written = page.locator(tab % "true").first.evaluate(colour)
    other = page.locator(tab % "false").first.evaluate(colour)
    assert written != other  # as Highlight's own text
    for name in ("generate", "cancel"):
        width = page.locator(f"#gs-{name}").evaluate(
            "node => getComputedStyle(node).borderTopWidth"
        )
        assert float(width.removesuffix("px")) >= 1, name
    assert ground(".gs-progress-bar i") != ground(".gs-progress-bar")
