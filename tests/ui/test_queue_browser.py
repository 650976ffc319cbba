"""The queue: place and time of a visitor who waits, a run that a reload finds again, what Cancel leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.studio_page import BRAKE, PATIENCE, STANDS, Studio, expect, needs_starter
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, needs_starter]
BAR = "#gs-progress .gs-progress"


@pytest.fixture
def another(browser: Any, address: str) -> Iterator[Callable[[], Studio]]:
    """Further visitors, each with a browser of their own."""
    contexts = []

    def come() -> Studio:
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 950}))
        contexts[-1].set_default_timeout(PATIENCE)
        return Studio(contexts[-1].new_page(), address)

    yield come
    for context in contexts:
        context.close()


def says(studio: Studio, text: str, where: str = BAR) -> None:
    studio.page.wait_for_function(
        "([where, text]) => document.querySelector(where)?.innerText.includes(text)",
        arg=[where, text],
        polling=100,  # a page behind another one may draw no frames
    )


def test_the_second_visitor_sees_place_and_a_reload_finds_the_run(
    studio: Studio, another: Callable[[], Studio], hold: Callable[..., None]
) -> None:
    hold("a cat face")
    studio.open().use(["a cat face"])
    second = another().open()
    second.use(["a dog face"])
    studio.page.click("#gs-generate")
    studio.page.wait_for_selector('.gs-stage[data-state="running"] img')
    expect(studio.page).to_have_title(re.compile(r"^\d+ % · Guidance Studio$"))  # in another tab
    expect(second.page).to_have_title("Guidance Studio")
    second.page.hover("#gs-generate")  # nothing of theirs waits: what is before it is said at rest
    says(second, "1 run before yours", ".gs-around")
    expect(second.page.locator("#gs-progress")).to_be_hidden()  # not "Ready"
    second.page.click("#gs-generate")
    says(second, "In the queue: 1 before this one")
    expect(second.page.locator(".gs-around")).to_be_hidden()
    expect(second.page).to_have_title("… · Guidance Studio")
    studio.page.click("#gs-generate")  # one more of the same is no press lost
    says(studio, "1 more of yours waits")
    studio.page.reload()
    studio.page.wait_for_selector('.gs-stage[data-state="running"] img')  # it went on meanwhile
    says(studio, "Step")
    studio.page.keyboard.press("Escape")  # the one that runs
    second.page.wait_for_selector(f'{BAR}[data-state="done"]')
    studio.page.wait_for_selector('.gs-stage[data-state="running"] img')
    studio.page.keyboard.press("Escape")
    studio.page.wait_for_selector(f'{BAR}[data-state="idle"]')
    second.page.reload()
    second.page.wait_for_selector('.gs-stage[data-state="done"] img')  # results are kept too
    second.page.locator(".gs-moment").first.wait_for()


def test_after_cancel_what_did_not_finish_is_marked_and_kept_only_if_asked(
    studio: Studio, home: Path, hold: Callable[..., None]
) -> None:
    def made() -> int:
        return len(list((home / "outputs").rglob("*.png")))

    hold("a cat face", images=8)
    studio.open().use(["a cat face"])
    studio.set("Images", "10")  # eight at once, then two
    before = made()
    unended = "sessionStorage['guidance-studio-unended']"  # what a killed server will have lost
    studio.page.click("#gs-generate")
    studio.page.wait_for_function(f"{unended} === '1'")
    studio.page.wait_for_function(
        "document.querySelectorAll('.gs-stage[data-state=\"running\"] figure').length === 10"
    )
    says(studio, "8 of 10 images")  # and the time that is left is that of all ten
    bar = studio.page.locator(BAR)
    expect(bar).to_contain_text(re.compile(r"Step \d/4 .* s left · "))
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^[89]\d$"))
    studio.page.keyboard.press("Escape")
    says(studio, "Cancelled · 8 of 10 finished")
    studio.page.wait_for_function(f"{unended} === '0'")
    unfinished = studio.page.locator(".gs-unfinished")
    expect(unfinished).to_have_count(2)
    expect(studio.page.locator(".gs-stage figure")).to_have_count(10)
    expect(unfinished.first).to_contain_text("unfinished, step")
    assert made() == before + 8
    unfinished.first.get_by_role("button", name="Keep").click()
    studio.page.wait_for_function("document.querySelector('.gs-moment [title*=unfinished]')")
    assert made() == before + 9
    expect(unfinished.first.get_by_text("Kept", exact=True)).to_be_visible()


def queued(studio: Studio) -> list[str]:
    return studio.page.locator(".gs-queue-title").all_inner_texts()


def test_what_waits_is_ordered_by_hand(
    studio: Studio, hold: Callable[..., None], home: Path
) -> None:
    hold("a cat face")
    studio.open().use(["a cat face"])
    expect(studio.page.locator(".gs-queue")).to_be_hidden()
    studio.page.click("#gs-generate")
    studio.page.wait_for_selector('.gs-stage[data-state="running"] img')
    for prompt in ("a dog face", "a rocket"):
        studio.prompt(0).fill(prompt)
        studio.page.click("#gs-generate")
        studio.page.wait_for_function(
            "(text) => document.querySelector('.gs-queue')?.innerText.includes(text)", arg=prompt
        )
    assert [text.rpartition(": ")[2] for text in queued(studio)] == ["a dog face", "a rocket"]
    expect(studio.page.locator(".gs-queue-facts").first).to_have_text(re.compile(r"^seed \d+ · "))
    studio.page.get_by_role("button", name=re.compile("^Earlier.*a rocket")).press("Enter")
    studio.page.wait_for_function(
        "document.querySelector('.gs-queue-title')?.innerText.includes('rocket')"
    )
    held = studio.page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert held.endswith("a rocket")  # the keyboard goes with its line
    studio.page.get_by_role("button", name=re.compile("^Take out.*a dog face")).click()
    studio.page.wait_for_function("document.querySelectorAll('.gs-queue-line').length === 1")
    all_out = studio.page.get_by_role("button", name="Take all out of the queue")
    expect(all_out).to_be_hidden()  # one has its own
    studio.page.click("#gs-generate")
    all_out.click()
    studio.says("2 taken out of the queue.", ".gs-toast")
    expect(studio.page.locator(".gs-queue-line")).to_have_count(0)
    (home / BRAKE).unlink()
    studio.page.wait_for_selector(f'{BAR}[data-state="done"]')
    expect(studio.page.locator(".gs-queue")).to_be_hidden()


def test_a_line_s_title_stays_readable_whatever_else_it_says(studio: Studio) -> None:
    """As of a batch: how it differs is long, and it has four buttons."""
    page = studio.open().page
    line = """() => {
        const part = (name, text) => `<span class="gs-queue-${name}">${text}</span>`;
        const list = document.querySelector(".gs-queue");
        list.innerHTML = `<li class="gs-queue-line">${part("title", "Portraits: a cat face in flat style")}
            ${part("differs", "Start from a picture, image: a picture → another picture")}
            ${part("facts", "seed 1234567890 · 12 images")}${"<button>Skip</button>".repeat(4)}</li>`;
        list.hidden = false;
    }"""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(line)
        box = page.locator(".gs-queue-title").bounding_box()
        assert box and box["width"] >= 100
        fits = "(list) => list.scrollWidth <= list.clientWidth"
        assert page.locator(".gs-queue").evaluate(fits)


def test_forever_goes_on_until_it_is_told(
    studio: Studio, hold: Callable[..., None], home: Path
) -> None:
    studio.open().use(["a rocket"])
    before = studio.moments()
    studio.page.click("#gs-forever")
    studio.made_since(before, 2)
    hold("a rocket")  # stands still in one of them
    until(lambda: (home / (BRAKE + STANDS)).exists())
    studio.rest(1000)  # the list's last change has come: none takes the button from under a press
    studio.page.get_by_role("button", name="Stop after this one").click()
    (home / BRAKE).unlink()
    studio.page.wait_for_selector(f'{BAR}[data-state="done"]')
    expect(studio.page.locator(".gs-queue")).to_be_hidden()


def test_forever_that_is_pressed_again_goes_on_with_the_form(studio: Studio) -> None:
    studio.open().use(["a rocket"])
    before = studio.moments()
    studio.page.click("#gs-forever")
    studio.made_since(before, 1)
    studio.rest(2000)  # what is typed just before a press is in what it makes
    studio.prompt(0).fill("a blue cat face")
    says(studio, "press Forever again and it takes the change", ".gs-toast")
    studio.page.click("#gs-forever")
    says(studio, "a blue cat face", ".gs-queue")
    expect(studio.page.locator(".gs-queue")).not_to_contain_text("a rocket")
    before = studio.moments()
    studio.made_since(before, 2)
    studio.page.click("#gs-cancel")
    says(studio, "Cancelled")
    expect(studio.page.locator(".gs-queue")).to_be_hidden()


def test_what_waits_is_taken_out_one_after_another_by_the_keyboard(
    studio: Studio, hold: Callable[..., None]
) -> None:
    hold("a cat face")
    page = studio.open().page
    studio.use(["a cat face"])
    page.click("#gs-generate")
    page.wait_for_selector('.gs-stage[data-state="running"] img')
    out = page.locator('.gs-queue [data-do="cancel"]')
    for waiting in (1, 2):
        page.click("#gs-generate")
        expect(out).to_have_count(waiting)
    out.first.focus()
    page.keyboard.press("Enter")
    expect(out).to_have_count(1)
    expect(out).to_be_focused()  # a second press made one run more
    page.keyboard.press("Enter")
    expect(out).to_have_count(0)
    expect(page.locator("#gs-heading")).to_be_focused()  # nor does a third one, of nothing
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.wait_for_selector(f'{BAR}[data-state="idle"]')
