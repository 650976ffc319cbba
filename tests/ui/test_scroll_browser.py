"""What stays in sight: Generate and the picture beside many rows, and at twice the size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, eventually, expect, needs_starter

pytestmark = pytest.mark.browser


def box(desk: Studio, selector: str) -> dict[str, float]:
    found = desk.page.locator(selector).first.bounding_box()
    assert found is not None, selector
    return found


def the_uses_of_a_picture_fit(desk: Studio) -> None:
    """The dialog of a picture's uses beside many rows: its list scrolls, Cancel stays in sight."""
    asked = "() => studio.askUse('What is it for?', 'data:,', () => null)"
    desk.page.evaluate(asked)
    last = desk.page.locator("dialog.gs-uses .gs-use-list button").last
    for width, height in ((390, 780), (720, 450), (1440, 950)):
        desk.page.set_viewport_size({"width": width, "height": height})

        def fits(width: int = width, height: int = height) -> None:
            seen = box(desk, "dialog.gs-uses")
            assert seen["x"] >= 0 and seen["x"] + seen["width"] <= width
            assert seen["y"] >= 0 and seen["y"] + seen["height"] <= height
            last.scroll_into_view_if_needed()
            inside, closing = (
                box(desk, ".gs-use-list"),
                box(desk, "dialog.gs-uses .gs-answers button"),
            )
            button = last.bounding_box()
            assert button and inside["y"] <= button["y"] < inside["y"] + inside["height"]
            assert closing["y"] + closing["height"] <= height

        eventually(fits)
    desk.page.keyboard.press("Escape")


def test_generate_and_the_picture_stay_in_sight_on_twelve_rows(desk: Studio) -> None:
    desk.use([f"a star {i}" for i in range(12)])
    desk.says("a star 11", "#gs-plan .gs-equation")

    def in_sight() -> None:
        desk.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        desk.rest(200)
        for selector in ("#gs-generate", "#gs-tabs [role=tab]", ".gs-stage"):
            seen = box(desk, selector)
            assert seen["y"] >= 0 and seen["y"] + seen["height"] <= 950, selector
        dock, tabs = box(desk, "#gs-dock"), box(desk, "#gs-tabs [role=tab]")
        assert tabs["y"] >= dock["y"] + dock["height"] - 1

    for _theme in ("light", "dark"):
        eventually(in_sight)
        desk.page.evaluate("studio.toggleTheme()")
    the_uses_of_a_picture_fit(desk)


@needs_starter
def test_at_twice_the_size_the_bar_takes_less_than_a_quarter(desk: Studio) -> None:
    desk.page.set_viewport_size({"width": 720, "height": 450})
    desk.use(["a star AND in noto style"] * 4)
    desk.page.evaluate("studio.stack.cards[0].setParts({ lora: 'starter/lora-hero' })")
    desk.page.wait_for_function(
        "document.querySelector('#gs-plan .gs-equation')?.textContent.includes('hero')"
    )

    def fits() -> None:
        dock, cancel = box(desk, "#gs-dock"), box(desk, "#gs-cancel")
        assert dock["height"] < 450 / 4 and dock["y"] + dock["height"] <= 451
        assert cancel["x"] + cancel["width"] <= 720
        assert desk.page.evaluate("document.documentElement.scrollWidth") <= 720
        assert box(desk, ".gs-stage")["height"] + dock["height"] <= 450

    eventually(fits)
    desk.page.set_viewport_size({"width": 1440, "height": 950})


@needs_starter
def test_generate_brings_the_picture_into_sight(desk: Studio) -> None:
    page = desk.page
    page.set_viewport_size({"width": 390, "height": 780})
    desk.use(["a star", "a cat face"], steps=1)
    desk.tab("Help")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    desk.generate()
    page.wait_for_function(
        """() => {
            const box = document.querySelector(".gs-stage")?.getBoundingClientRect();
            const { top = -1, bottom } = box ?? {};
            return top >= 0 && (bottom + top) / 2 <= innerHeight;
        }""",
        polling=100,
    )
    page.set_viewport_size({"width": 1440, "height": 950})


@needs_starter
def test_among_many_rows_a_list_of_words_shows_beyond_its_row(desk: Studio, tmp_path: Path) -> None:
    """Rows that are out of sight are not laid out, and one that may be shows nothing beyond its edge."""
    file = tmp_path / "many.json"
    file.write_text(json.dumps({"name": "Many", "rows": [{"prompt": "a cat"}] * 24}))
    desk.load(file)
    desk.page.wait_for_function("document.querySelectorAll('.gs-long .gs-card').length === 24")
    desk.prompt(11).press("End")
    desk.prompt(11).press_sequentially(", as")
    seen = """() => {
        const list = document.querySelector(".gs-complete:not([hidden])");
        const last = list?.lastElementChild.getBoundingClientRect();
        return last && list.contains(document.elementFromPoint(last.x + 5, last.y + 5))
            && last.bottom > list.closest(".gs-card").getBoundingClientRect().bottom;
    }"""
    desk.page.wait_for_function(seen, polling=100)


@needs_starter
def test_in_a_low_window_what_one_paints_with_stands_by_the_picture(desk: Studio) -> None:
    """All of it in the window at once: the wheel over the picture enlarges it, and scrolls nothing."""
    desk.use(["a star", "a cat face"])
    desk.page.get_by_role("button", name="Masks", exact=True).click()
    canvas = desk.page.get_by_role("application", name="Canvas")
    expect(canvas).to_be_visible()
    dialog = desk.page.locator("dialog.gs-painter[open]")
    last = dialog.get_by_role("button", name="Use masks")

    def fits(width: int, height: int) -> None:
        for one in (canvas, dialog.get_by_role("button", name="2: a cat face"), last):
            seen = one.bounding_box()
            assert seen and seen["y"] >= 0 and seen["y"] + seen["height"] <= height
            assert seen["x"] >= 0 and seen["x"] + seen["width"] <= width

    for width, height in ((1366, 768), (1280, 720), (720, 450)):  # the last is 200 %
        desk.page.set_viewport_size({"width": width, "height": height})
        eventually(lambda size=(width, height): fits(*size))
        expect(last).to_be_in_viewport(ratio=1)
    canvas.hover()
    expect(canvas.locator(".gs-brush-ring")).to_be_visible()  # as large as the brush
    desk.page.set_viewport_size({"width": 1440, "height": 950})
    desk.page.keyboard.press("Escape")


@needs_starter
def test_at_twice_the_size_a_picture_stays_beside_what_is_said_of_it(desk: Studio) -> None:
    """And on a phone, where it stands above, it lies over nothing that is said."""
    desk.use(["a star"], steps=1)
    desk.generate()
    desk.page.set_viewport_size({"width": 720, "height": 450})
    desk.tab("History").locator(".gs-cell-open").first.click()
    dialog = desk.page.locator("dialog.gs-history-dialog")
    picture, note = dialog.locator(".gs-history-large"), dialog.get_by_label("Board")
    covered = """() => [...document.querySelectorAll(".gs-history-facts dt")].filter((fact) => {
        const { left, top, bottom } = fact.getBoundingClientRect();
        const lies = document.elementFromPoint(left + 3, (top + bottom) / 2);
        return lies?.closest(".gs-history-two > :first-child");
    }).length"""

    def stays() -> None:
        seen = picture.bounding_box()
        assert seen and seen["y"] >= 0 and seen["y"] + seen["height"] <= 450

    eventually(stays)
    note.scroll_into_view_if_needed()
    eventually(stays)
    for size in ({"width": 720, "height": 450}, {"width": 390, "height": 780}):
        desk.page.set_viewport_size(size)
        for fact in (note, dialog.locator("dt").last, dialog.locator("dt").first):
            fact.scroll_into_view_if_needed()
            assert desk.page.evaluate(covered) == 0, size
    desk.page.keyboard.press("Escape")
    desk.page.set_viewport_size({"width": 1440, "height": 950})


@needs_starter
def test_notes_of_many_pictures_leave_a_narrow_page_its_form(desk: Studio) -> None:
    desk.use(["a cat"])
    card = desk.card(0)
    card.locator(".gs-prompting .gs-file").set_input_files(REPOSITORY / "assets/examples/cat.png")
    desk.set("Width", "512")
    another = card.get_by_role("button", name="Another control image")
    for count in range(2, 9):
        another.click()
        expect(card.locator(".gs-control:visible")).to_have_count(count)
    expect(desk.page.locator("#gs-plan [role=note]")).to_have_count(8)
    for size in ({"width": 640, "height": 400}, {"width": 390, "height": 700}):
        desk.page.set_viewport_size(size)

        def leaves_half(size: dict[str, int] = size) -> None:
            assert box(desk, "#gs-dock")["height"] < size["height"] / 2

        eventually(leaves_half)
        note = desk.page.locator("#gs-plan [role=note]").last
        note.scroll_into_view_if_needed()
        expect(note).to_be_in_viewport()
    desk.page.set_viewport_size({"width": 1440, "height": 950})
