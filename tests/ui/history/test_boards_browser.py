"""Several pictures on a board, off it, and without their stars, in Chromium."""

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


@pytest.fixture
def pictures(home: Path) -> Iterator[None]:
    folder = home / "outputs" / "giraffes"
    for seed in range(3):
        preset = validate({"name": f"Giraffe {seed}", "rows": [{"prompt": "a giraffe"}]})
        save_image(Image.new("RGB", (32, 32)), preset.with_seed(seed), folder)
    yield
    shutil.rmtree(folder)  # other tests look at the newest picture


def test_a_board_is_chosen_among_those_there_are_and_pictures_on_none_are_found(
    studio: Studio, pictures: None
) -> None:
    page = studio.open().tab("History")
    page.get_by_label("Search the history").fill("giraffe")
    page.get_by_text("3 pictures", exact=True).wait_for()
    boards = page.locator("select[aria-label=Board]")

    def choose(seed: int) -> None:
        studio.rest()  # the grid may just be drawn anew
        page.get_by_label(f"Choose Giraffe {seed}").check(force=True)

    def put(seeds: tuple[int, ...], name: str) -> None:
        for seed in seeds:
            choose(seed)
        page.get_by_role("button", name="Board …").click()
        page.get_by_label("Board, left empty: none").fill(name)
        page.get_by_role("button", name="Put on it").click()
        page.get_by_role("button", name="Choose none").click()

    put((0, 1), "savannah")
    expect(boards.locator("option", has_text="savannah (2)")).to_have_count(1)
    choose(2)
    page.get_by_role("button", name="Board …").click()
    expect(page.locator("dialog[open] datalist option[value=savannah]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Choose none").click()
    boards.select_option("On no board")
    page.get_by_text("1 picture", exact=True).wait_for()
    # One is renamed by choosing all of it: its name stands there already.
    boards.select_option("savannah")
    page.get_by_text("2 pictures", exact=True).wait_for()
    page.get_by_role("button", name="Choose all").click()
    page.get_by_role("button", name="Board …").click()
    expect(page.get_by_label("Board, left empty: none")).to_have_value("savannah")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Star", exact=True).click()
    page.get_by_label("Starred").check(force=True)
    page.get_by_role("button", name="Take the star away").last.click()
    page.get_by_text("0 pictures", exact=True).wait_for()
    page.get_by_label("Starred").uncheck(force=True)
    page.get_by_role("button", name="Choose none").click()
    put((0, 1), "")
    expect(boards.locator("option", has_text="savannah (2)")).to_have_count(0)
