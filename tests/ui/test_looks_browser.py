"""How the page looks and reads in a real browser: phone, dark, names, axe."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from studio.preset import validate
from studio.share import save_image
from tests.support import REPOSITORY
from tests.support.studio_page import Studio, eventually, expect

pytestmark = pytest.mark.browser
PICTURE = REPOSITORY / "assets" / "examples" / "training" / "hero-1.png"
TABS = ("Result", "History", "Sweep", "Train", "Presets", "Models", "Help")
GRAVE = ("serious", "critical")
FADED = """!document.getAnimations().some((one) =>
    one.playState === "running" && one.effect.getTiming().iterations !== Infinity)"""
WIDE, PHONE = {"width": 1440, "height": 950}, {"width": 390, "height": 844}
ZOOMED = {"width": 720, "height": 475}  # a wide window at 200 %
# What lies beyond the window's sides, is cut off at them by what holds it, or under something else.
CUT_OFF = """() => {
    const found = [];
    const say = (what, node) => found.push(`${what}: ${node.outerHTML.slice(0, 160)}`);
    const shown = (node) => {
        const { width, height } = node.getBoundingClientRect();
        const sight = { visibilityProperty: true, opacityProperty: true };
        return width > 2 && height > 2 && node.checkVisibility(sight);
    };
    const scrolls = (node) =>
        ["auto", "scroll"].includes(getComputedStyle(node).overflowX) && node.scrollWidth > node.clientWidth;
    const cuts = (node) => ["hidden", "clip"].includes(getComputedStyle(node).overflowX);
    const controls = "button, input, select, textarea, a[href], summary";
    for (const node of document.querySelectorAll(`${controls}, p, li, h1, h2, h3, td, th, pre, label`)) {
        if (!shown(node)) continue;
        const { left, right } = node.getBoundingClientRect();
        let up = node.parentElement;
        while (up && !scrolls(up)) {
            const box = up.getBoundingClientRect();
            if (cuts(up) && (right > box.right + 1 || left < box.left - 1)) say("cut off", node);
            up = up.parentElement;
        }
        if (!up && (left < -1 || right > innerWidth + 1)) say("beyond the window", node);
        if (node.matches("button") && node.scrollWidth > node.clientWidth + 5) say("its words are cut", node);
    }
    for (const node of document.querySelectorAll(controls)) {
        if (!shown(node) || node.disabled) continue;
        node.scrollIntoView({ block: "center", behavior: "instant" });
        const { left, top, width, height } = node.getBoundingClientRect();
        const over = document.elementFromPoint(left + width / 2, top + height / 2);
        const own = over && (node.contains(over) || over.contains(node) || node.labels?.[0]?.contains(over));
        if (!own) say(`under ${over?.outerHTML.slice(0, 80)}`, node);
    }
    return found;
}"""


@pytest.fixture
def phone(desk: Studio) -> Iterator[Studio]:
    """The page as narrow as a phone's."""
    desk.page.set_viewport_size(PHONE)
    yield desk
    desk.page.set_viewport_size(WIDE)


@pytest.fixture
def earlier(home: Path) -> Iterator[None]:
    """Two pictures in the history."""
    folder = home / "outputs" / "earlier"
    for seed in range(2):
        preset = validate({"name": f"Okapi {seed}", "sampler": {"seed": seed}})
        save_image(Image.new("RGB", (32, 32), (seed, 90, 200)), preset, folder)
    yield
    shutil.rmtree(folder)


def fits(page: Any, where: str) -> None:
    """Assert that a phone shows the whole width."""

    def whole() -> None:
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{where}: {width} px"

    eventually(whole)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("size", [PHONE, ZOOMED], ids=["phone", "200 %"])
def test_every_tab_is_whole_and_within_reach(desk: Studio, size: dict[str, int]) -> None:
    desk.page.set_viewport_size(size)
    for tab in TABS:
        desk.tab(tab)
        desk.rest()
        eventually(lambda tab=tab: _whole(desk.page, tab, size["width"]))
    assert desk.complaints == []
    desk.page.set_viewport_size(WIDE)


def _whole(page: Any, tab: str, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
    assert page.evaluate(CUT_OFF) == [], tab


def test_the_head_on_a_phone_is_whole_and_nothing_lies_over_another(phone: Studio) -> None:
    phone.page.evaluate("window.scrollTo(0, 0)")
    boxes = phone.page.evaluate(
        """() => [...document.querySelectorAll("#gs-top h1, #gs-top button")]
            .map((node) => [node.textContent.trim() || node.ariaLabel, node.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0)
            .map(([name, { left, top, right, bottom }]) => ({ name, left, top, right, bottom }))"""
    )
    assert len(boxes) >= 6 and boxes[0]["name"] == "Guidance Studio"
    for index, one in enumerate(boxes):
        assert one["left"] >= 0 and one["right"] <= 390 and one["top"] >= 0, one
        for other in boxes[index + 1 :]:
            apart = (
                min(one["right"], other["right"]) - max(one["left"], other["left"]) <= 1
                or min(one["bottom"], other["bottom"]) - max(one["top"], other["top"]) <= 1
            )
            assert apart, f"{one} lies over {other}"


def test_dark_is_dark(desk: Studio, tmp_path: Path) -> None:
    def dark() -> None:
        desk.page.screenshot(path=tmp_path / "dark.png")
        assert np.asarray(Image.open(tmp_path / "dark.png").convert("L")).mean() < 70

    desk.page.click("#gs-theme")
    eventually(dark)
    drawn = desk.page.locator("html")  # what the browser draws itself: scroll bars, lists that open
    expect(drawn).to_have_css("color-scheme", "dark")
    desk.page.click("#gs-theme")
    expect(drawn).to_have_css("color-scheme", "light")


def test_every_control_has_a_name(desk: Studio) -> None:
    def named() -> None:
        nameless = desk.page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, textarea')].filter((node) =>
                node.offsetParent && !node.getAttribute('aria-label') && !node.innerText.trim() && !node.labels?.length
                && !node.title && !node.getAttribute('aria-labelledby')).map((node) => node.outerHTML.slice(0, 150))"""
        )
        assert not nameless

    eventually(named)


def faults(page: Any) -> list[str]:
    """What axe-core calls serious or critical on the page as it is now."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def without_fault(page: Any, where: str) -> None:
    """Assert that axe finds nothing grave, once what fades has faded."""

    def clean() -> None:
        page.wait_for_function(FADED, polling=100)
        assert not faults(page), where

    eventually(clean)


def neither_light_nor_dark(page: Any, where: str) -> None:
    """Assert that axe finds nothing grave, in both themes."""
    for theme in ("light", "dark"):
        without_fault(page, f"{where}, {theme}")
        page.evaluate("studio.toggleTheme()")


def the_history_opens_well(page: Any) -> None:
    """Its dialogs: one picture, and two compared."""
    search, count = page.get_by_label("Search the history"), page.locator(".gs-history-count")
    search.fill("okapi")
    for _ in range(60):  # what others put there is looked for every ten seconds
        page.wait_for_timeout(1000)  # between two of sixty looks
        if count.text_content() == "2 pictures":
            break
        search.dispatch_event("input")
    page.locator('.gs-cell-open[aria-label="Okapi 1"]').click()
    page.locator(".gs-history-dialog[open] img").first.wait_for()
    neither_light_nor_dark(page, "a picture of the history")
    page.keyboard.press("Escape")
    for name in ("Choose Okapi 0", "Choose Okapi 1"):
        page.get_by_label(name).check(force=True)
    page.get_by_role("button", name="Compare").click()
    page.locator(".gs-compare-dialog[open]").wait_for()
    neither_light_nor_dark(page, "the comparison")
    page.keyboard.press("Escape")


@pytest.mark.timeout(600)
def test_axe_finds_nothing_grave_on_any_tab(desk: Studio, earlier: None) -> None:
    page = desk.page
    desk.use(["a cat"])
    page.locator("#gs-advanced").get_by_role("button", name="Advanced").first.click()
    desk.press(0, "More: adapters")
    for tab in TABS:
        if tab == "Sweep":  # tests/ui/sweep looks at it while it makes pictures
            continue
        desk.tab(tab)
        if tab == "Train":
            page.locator("#gs-train-files input[type=file]").set_input_files(PICTURE)
            page.locator(".gs-pic").wait_for()
            page.get_by_text("Steps, rates, samples").click()
            # What lies under the bar of a training would count as unreadable on it.
            page.evaluate("document.getElementById('gs-right').scrollTo(0, 0)")
        if tab == "History":
            the_history_opens_well(page)
        neither_light_nor_dark(page, tab)


@pytest.mark.timeout(600)
def test_axe_finds_nothing_grave_in_a_dialog_on_a_phone(phone: Studio) -> None:
    page = phone.tab("Train")
    page.locator("#gs-train-files input[type=file]").set_input_files(PICTURE)
    page.get_by_role("button", name=f"Crop {PICTURE.name}").click()
    page.locator("dialog.gs-cropper[open]").wait_for()
    without_fault(page, "the crop on a phone")
    fits(page, "the crop")
    page.get_by_role("button", name="Cancel", exact=True).last.click()
