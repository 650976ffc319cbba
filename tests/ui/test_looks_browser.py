"""How the page looks and reads in a real browser: phone, dark, names, axe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from tests.support import REPOSITORY
from tests.support.studio_page import Studio

pytestmark = pytest.mark.browser
PICTURE = REPOSITORY / "assets" / "examples" / "training" / "hero-1.png"
TABS = ("Result", "Train", "Presets", "Models", "Help")
GRAVE = ("serious", "critical")


def test_phone_has_no_horizontal_scroll(studio: Studio) -> None:
    studio.page.set_viewport_size({"width": 390, "height": 844})
    studio.open()
    for tab in TABS:
        studio.tab(tab)
        width = studio.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{tab}: {width} px"
    assert studio.page.locator("#gs-generate").is_visible()


def test_dark_is_dark(studio: Studio, tmp_path: Path) -> None:
    studio.open("?__theme=dark")
    studio.page.screenshot(path=tmp_path / "dark.png")
    assert np.asarray(Image.open(tmp_path / "dark.png").convert("L")).mean() < 70


def test_every_control_has_a_name(studio: Studio) -> None:
    nameless = studio.open().page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea')].filter((node) =>
            node.offsetParent && !node.getAttribute('aria-label') && !node.innerText.trim() && !node.labels?.length
            && !node.title && !node.getAttribute('aria-labelledby')).map((node) => node.outerHTML.slice(0, 150))"""
    )
    assert not nameless


def faults(studio: Studio) -> list[str]:
    """What axe-core calls serious or critical on the page as it is now."""
    found = Axe().run(studio.page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.timeout(240)
def test_axe_finds_nothing_grave_on_any_tab(studio: Studio, theme: str) -> None:
    page = studio.open(f"?__theme={theme}").page
    page.locator("#gs-advanced").get_by_role("button", name="Advanced").first.click()
    studio.press(0, "More: adapters")
    for tab in TABS:
        studio.tab(tab)
        if tab == "Train":
            page.locator("#gs-train-files input[type=file]").set_input_files(PICTURE)
            page.locator(".gs-pic").wait_for()
            page.get_by_text("Steps, rates, samples").click()
        page.wait_for_timeout(400)  # the tab's own fading in
        assert not faults(studio), tab


@pytest.mark.timeout(240)
def test_axe_finds_nothing_grave_in_a_dialog_on_a_phone(studio: Studio) -> None:
    studio.page.set_viewport_size({"width": 390, "height": 844})
    page = studio.open().page
    studio.tab("Train")
    page.locator("#gs-train-files input[type=file]").set_input_files(PICTURE)
    page.get_by_role("button", name=f"Crop {PICTURE.name}").click()
    page.locator("dialog.gs-cropper[open]").wait_for()
    assert not faults(studio)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
