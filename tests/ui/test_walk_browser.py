"""The page by keyboard alone: Tab comes to everything, and where one is stands in sight, marked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.studio_page import PATIENCE, Studio, eventually, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
MOST = 220  # stops on one way
# Where the keyboard is: what it is, whether one can see it, and whether its looks say so.
STOP = """() => {
    const node = document.activeElement;
    if (!node || node === document.body) return null;
    const looks = () => {
        const found = [];
        for (let one = node, up = 0; one && up < 4; one = one.parentElement, up += 1) {
            const { outline, boxShadow, borderColor, backgroundColor } = getComputedStyle(one);
            found.push(outline, boxShadow, borderColor, backgroundColor);
        }
        return JSON.stringify(found);
    };
    const { left, top, width, height } = node.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + Math.min(height, 60) / 2];
    const over = document.elementFromPoint(x, y);
    // A date has parts of its own; a list opens and closes as one comes and goes.
    const native = node.type === "date" || node.getAttribute("role") === "combobox";
    const focused = looks();
    if (!native) node.blur();
    const marked = native || looks() !== focused;
    if (!native) node.focus({ preventScroll: true });
    const again = node.dataset.walked === "1";
    node.dataset.walked = "1";
    const name = node.getAttribute("aria-label") || node.innerText || node.labels?.[0]?.innerText;
    return {
        name: `${node.tagName} ${name || ""}`.trim().slice(0, 60),
        seen: Boolean(over && (node.contains(over) || over.contains(node))),
        over: over?.outerHTML.slice(0, 120),
        list: node.getAttribute("role") === "combobox",
        marked, trapped: again && !native,
    };
}"""
# What can be used and was not come to; arrow keys lead through what has no place of its own.
LEFT_OUT = """() => [...document.querySelectorAll(
    "button, input, select, textarea, a[href], summary, [tabindex='0']")]
    .filter((node) => node.dataset.walked !== "1" && node.tabIndex >= 0 && !node.disabled
        && node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length
        && !(node.type === "radio" && !node.checked))
    .map((node) => node.outerHTML.slice(0, 120))"""
STILL = "* { transition: none !important; }"


def walk(page: Any) -> None:
    """Go through the page by Tab, from its first stop to its last."""
    page.evaluate(
        """() => {
            for (const node of document.querySelectorAll("[data-walked]")) delete node.dataset.walked;
            document.activeElement.blur();
            document.body.tabIndex = -1;
            document.body.focus();
            scrollTo(0, 0);
            const right = document.getElementById("gs-right"); // as after a long look at it
            right.scrollTo(0, right.scrollHeight);
        }"""
    )
    for _ in range(MOST):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            break
        for _ in range(10):  # a list that closes may lie over it for a moment
            if stop["seen"]:
                break
            page.wait_for_timeout(700)  # between two of ten looks
            stop = page.evaluate(STOP) | {"trapped": stop["trapped"]}
        assert not stop["trapped"], f"the keyboard goes in circles at {stop['name']}"
        assert stop["seen"], f"under {stop['over']}: {stop['name']}"
        if stop["list"]:
            page.wait_for_timeout(400)  # as a hand takes; the list closes behind it
        assert stop["marked"], f"nothing marks where one is: {stop['name']}"
    else:
        raise AssertionError(f"no end after {MOST} stops")


def walk_whole(page: Any) -> None:
    """Nothing is left out; a field that came while one walked is come to on another way. Nothing
    comes before what stands before it."""
    ahead = (
        "[...document.querySelectorAll('[tabindex]')].filter((node) => node.tabIndex > 0).length"
    )
    assert page.evaluate(ahead) == 0
    for _ in range(3):
        walk(page)
        left_out = page.evaluate(LEFT_OUT)
        if not left_out:
            return
    raise AssertionError(f"never come to: {left_out}")


@pytest.fixture(scope="module")
def whole(desk: Studio) -> Studio:
    """A page on which everything that folds is open."""
    desk.page.add_style_tag(content=STILL)
    desk.use(["a cat face AND in flat style", "a dog"], steps=2)
    desk.tab("Result")
    desk.generate()
    desk.page.locator("#gs-advanced").get_by_role("button", name="Advanced").first.click()
    desk.press(0, "More: adapters")
    desk.page.locator("#gs-advanced .gs-start, #gs-advanced input").first.wait_for()
    return desk


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "tab", ["Result", "History", "Sweep", "Train", "Presets", "Models", "Help"]
)
def test_tab_comes_to_everything_and_where_one_is_stands_in_sight(whole: Studio, tab: str) -> None:
    whole.tab(tab)
    whole.rest(1000)  # its fields are being made
    if tab == "Train":
        whole.unfold("Steps, rates, samples")
    walk_whole(whole.page)


@pytest.mark.timeout(600)
def test_on_a_phone_too(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE)
    phone = Studio(context.new_page(), address).open()
    phone.page.add_style_tag(content=STILL)
    walk_whole(phone.page)
    phone.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")

    def above() -> None:
        last = phone.page.locator("#gs-tabs").bounding_box()
        dock = phone.page.locator("#gs-dock").bounding_box()
        assert last and dock and last["y"] + last["height"] <= dock["y"]  # nothing stays below it

    eventually(above)
    context.close()


def test_the_shelf_is_one_stop_and_arrow_keys_lead_along_it(whole: Studio) -> None:
    page = whole.tab("Presets")
    cards = page.locator("#gs-shelf .gs-presets > *")
    at = "[...document.querySelectorAll('#gs-shelf .gs-presets > *')].findIndex((one) => one.contains(document.activeElement))"
    stops = "[...document.querySelectorAll('#gs-shelf .gs-preset')].filter((one) => one.tabIndex === 0).length"
    search = page.locator("#gs-shelf .gs-shelf-search")
    search.fill("")
    assert page.evaluate(stops) == 1
    search.focus()
    page.keyboard.press("Tab")
    assert page.evaluate(at) == 0
    lines = page.evaluate(
        "[...document.querySelectorAll('#gs-shelf .gs-presets > *')].map((one) => one.offsetTop)"
    )
    columns = lines.count(lines[0])
    for key, expected in (
        ("ArrowRight", 1),
        ("ArrowDown", 1 + columns),
        ("ArrowUp", 1),
        ("ArrowUp", 1),  # there is no line above
        ("End", cards.count() - 1),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        assert page.evaluate(at) == expected, key
    search.fill("mask")  # what is hidden is no stop, and one that is shown is
    expect(cards.filter(visible=True)).not_to_have_count(cards.count())
    search.focus()
    page.keyboard.press("Tab")
    assert page.evaluate(at) >= 0
    page.keyboard.press("Shift+Tab")
    search.fill("")
