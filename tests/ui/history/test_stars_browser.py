"""Stars in the history's dialogs, and what comes right after the last look at its files."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio.preset import validate
from studio.share import save_image
from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser
TAKEN = "Take the star away"


def save(folder: Path, seed: int) -> None:
    rows = [{"prompt": f"gnu number{seed}"}]
    preset = validate({"name": f"Gnu {seed}", "rows": rows, "sampler": {"seed": seed}})
    save_image(Image.new("RGB", (32, 32), (seed, 90, 20)), preset, folder)


@pytest.fixture(scope="module")
def folder(home: Path) -> Iterator[Path]:
    found = home / "outputs" / "gnus"
    for seed in (1, 2):
        save(found, seed)
    yield found
    shutil.rmtree(found)


@pytest.mark.timeout(300)
def test_a_star_says_what_a_press_does_and_is_as_before_where_it_is_refused(
    studio: Studio, folder: Path
) -> None:
    page = studio.open().tab("History")
    page.get_by_label("Search the history").fill("gnu number")
    page.get_by_text("2 pictures", exact=True).wait_for()

    def stars(dialog: str) -> None:
        box = page.locator(dialog)
        star, taken = (
            box.get_by_role("button", name=name, exact=True).first for name in ("Star", TAKEN)
        )
        star.click()
        expect(taken).to_have_attribute("aria-pressed", "true")
        taken.click()
        expect(box.get_by_role("button", name=TAKEN)).to_have_count(0)
        expect(star).to_have_attribute("aria-pressed", "false")
        page.wait_for_timeout(500)  # what the second press says has gone
        join = "**/gradio_api/queue/join*"
        odd = '"said":{"odd":1,"starred":true}'
        page.route(
            join,
            lambda route: route.continue_(
                post_data=(route.request.post_data or "").replace('"said":{"starred":true}', odd)
            ),
        )
        star.click()
        studio.says("got 'odd'", ".gs-toast, .toast-body")
        expect(box.get_by_role("button", name=TAKEN)).to_have_count(0)
        expect(star).to_have_attribute("aria-pressed", "false")
        page.unroute(join)
        box.get_by_role("button", name="Close", exact=True).first.click()
        expect(box).to_have_count(0)

    page.locator('.gs-cell-open[aria-label="Gnu 1"]').click()
    stars(".gs-history-dialog")
    for seed in (1, 2):
        page.get_by_label(f"Choose Gnu {seed}").check(force=True)
    page.get_by_role("button", name="Compare").click()
    stars(".gs-compare-dialog")


@pytest.mark.timeout(300)
def test_stars_and_tags_given_just_before_a_reload_are_kept(studio: Studio, folder: Path) -> None:
    page = studio.open().tab("History")
    search = page.get_by_label("Search the history")
    search.fill("gnu number")
    page.get_by_text("2 pictures", exact=True).wait_for()
    first = page.locator(".gs-cell-open").first
    first.focus()
    for key in ("s", "ArrowRight", "s"):
        page.keyboard.press(key)
    page.reload()
    studio.tab("History")
    search.fill("gnu number")
    expect(page.locator(".gs-cell .gs-cell-star")).to_have_count(2)
    first.click()
    dialog = page.locator(".gs-history-dialog")
    for label, text in (("Note", "lucky"), ("Tags, divided by commas", "horn"), ("Board", "zoo")):
        dialog.get_by_label(label).click()
        page.keyboard.type(text)
    page.reload()
    studio.tab("History")
    search.fill("note:lucky tag:horn board:zoo")
    page.get_by_text("1 picture", exact=True).wait_for()


@pytest.mark.timeout(300)
def test_what_comes_right_after_the_last_look_is_shown_once_another_is_due(
    studio: Studio, folder: Path
) -> None:
    page = studio.open().tab("History")
    page.get_by_label("Search the history").fill("gnu number")
    page.get_by_text("2 pictures", exact=True).wait_for()
    page.wait_for_timeout(1500)  # one more look, were there any
    studio.tab("Result")
    save(folder, 3)
    studio.tab("History")  # within the pause after the look before
    expect(page.get_by_text("3 pictures", exact=True)).to_be_visible(timeout=20_000)


@pytest.mark.timeout(300)
def test_a_picture_that_was_removed_for_good_takes_no_star(studio: Studio) -> None:
    """Nor is it said to be kept where it is to be deleted: the result is on the page still."""
    page = studio.open().page
    studio.use(["a cat face"], steps=1)
    studio.generate()
    beside = Studio(page.context.new_page(), studio.address).open()
    beside.tab("History").locator(".gs-cell").first.focus()
    beside.page.locator(".gs-cell-open").first.press("Delete")
    beside.says("1 in the bin", ".gs-toast")
    beside.page.get_by_label("Bin", exact=True).check()
    beside.page.once("dialog", lambda question: question.accept())
    beside.page.get_by_role("button", name="Empty the bin").click()
    beside.says("removed", ".gs-toast")
    beside.page.close()

    marks = page.locator("#gs-stage .gs-mark-tools")
    star = marks.get_by_role("button", name="Star", exact=True)
    for press in (marks.get_by_role("button", name="Delete", exact=True), star):
        press.click()
        said = page.locator(".toast-body", has_text="is not in the history any more")
        expect(said).to_be_visible()
        said.get_by_role("button").last.click()
        expect(said).to_have_count(0)
    expect(star).to_have_count(0)  # nobody says how it stands: it is offered no more
    expect(page.locator(".gs-toast", has_text="kept")).to_have_count(0)
