"""The first moments of a page: nothing that was kept comes over what is brought in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.share import read_image
from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser
PRESET = REPOSITORY / "presets" / "02-negative-row.json"
KEPT = "sessionStorage.getItem('guidance-studio-tab')"
DROP = """(text) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], "dropped.json", { type: "application/json" }));
    const event = new DragEvent("drop", { dataTransfer: carried, bubbles: true });
    document.querySelector("h1").dispatchEvent(event);
}"""


@pytest.fixture
def slow(studio: Studio) -> Iterator[Callable[[], None]]:
    """A page with a kept form, loaded anew, whose first questions the server has not got yet: until
    the function is called. What is asked for after them goes through."""
    studio.open().use(["a kept cat"])
    page = studio.page
    page.wait_for_function(f"{KEPT}?.includes('a kept cat')")
    held, free = [], []

    def hold(route: Any) -> None:
        route.continue_() if free else held.append(route)

    def answer() -> None:
        for route in held:
            route.continue_()
        held.clear()

    page.route("**/queue/join*", hold)
    page.reload()
    page.wait_for_selector(".gs-tour-open")
    while not any("a kept cat" in (route.request.post_data or "") for route in held):
        page.wait_for_timeout(50)  # until the question that brings the form is there
    studio.rest()
    free.append(True)
    yield answer
    answer()


def test_a_preset_dropped_in_the_first_moment_stays(
    studio: Studio, slow: Callable[[], None]
) -> None:
    page = studio.page
    page.evaluate(DROP, PRESET.read_text())
    studio.rest(1500)
    slow()
    page.wait_for_function("studio.stack.cards[0]?.row.prompt !== 'a kept cat'", polling=100)
    page.wait_for_function("studio.stack.cards.length === 2", polling=100)
    studio.rest(1500)
    assert [row["weight"] for row in studio.rows()] == [5, -4]
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()  # what was kept is one step back
    page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a kept cat'", polling=100)


def test_until_it_is_filled_nothing_is_pressed_and_what_was_kept_is_not_lost(
    studio: Studio, slow: Callable[[], None]
) -> None:
    page = studio.page
    tour = page.locator(".gs-tour-open")
    box = tour.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    studio.rest(1500)
    expect(page.locator(".gs-tour .gs-tour-title")).to_have_count(0)
    assert "a kept cat" in page.evaluate(KEPT)  # the form without it is not kept instead
    slow()
    page.wait_for_function("studio.stack.cards[0]?.row.prompt === 'a kept cat'", polling=100)
    tour.click()
    page.wait_for_selector(".gs-pointed")
    assert [row["weight"] for row in studio.rows()] == [5, -4]
    page.keyboard.press("Escape")


@needs_starter
def test_generate_by_key_waits_for_the_form(
    studio: Studio, slow: Callable[[], None], home: Path
) -> None:
    page = studio.page
    page.keyboard.press("Control+Enter")
    studio.rest(1500)
    slow()
    page.wait_for_selector('.gs-stage[data-state="done"] img')
    newest = max((home / "outputs").rglob("*.png"), key=lambda path: path.stat().st_mtime_ns)
    assert [row.prompt for row in read_image(newest)[0].rows] == ["a kept cat"]


def test_a_page_at_rest_asks_for_no_frames(studio: Studio) -> None:
    """Gradio's sign of loading goes on for ever, which is a tenth of a core as long as it is open."""
    studio.page.add_init_script(
        "(() => { const frame = window.requestAnimationFrame; window.frames_ = 0;"
        " window.requestAnimationFrame = (step) => (window.frames_++, frame.call(window, step)); })()"
    )
    studio.open()
    studio.page.wait_for_function(
        "new Promise((done) => { const before = window.frames_;"
        " setTimeout(() => done(window.frames_ === before), 1000); })",
        polling=200,
    )
    assert studio.page.evaluate("window.frames_") > 0


def test_a_page_that_opens_asks_for_its_plan_once(studio: Studio) -> None:
    asked: list[int] = []

    def note(request: Any) -> None:
        if request.url.endswith("/run/predict"):
            asked.append(request.post_data_json["fn_index"])

    studio.page.on("request", note)
    studio.open().rest(1000)
    opening = list(asked)
    studio.prompt(0).fill("an apple")
    while len(asked) == len(opening):
        studio.page.wait_for_timeout(50)  # until the edit has asked
    assert opening.count(asked[-1]) == 1  # what an edit asks for is the plan
