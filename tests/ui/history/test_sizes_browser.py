"""How large the History shows its pictures, in Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.preset import validate
from studio.share import save_image
from tests.support.studio_page import Studio, eventually, expect

pytestmark = pytest.mark.browser
COUNT = 60
COLUMNS = "getComputedStyle(document.querySelector('.gs-virtual-rows')).gridTemplateColumns.split(' ').length"

FIRST = """(() => {
    const { left, top } = document.querySelector(".gs-virtual")?.getBoundingClientRect() ?? { left: 0, top: 0 };
    const cell = document.elementFromPoint(left + 40, top + 30)?.closest("[data-index]");
    return Number(cell?.dataset.index ?? -1);
})()"""


@pytest.fixture
def pictures(home: Path) -> Iterator[None]:
    folder = home / "outputs" / "okapis"
    for seed in range(COUNT):
        preset = validate({"name": f"Okapi {seed}", "rows": [{"prompt": "an okapi"}]})
        save_image(Image.new("RGB", (32, 32)), preset.with_seed(seed), folder)
    yield
    shutil.rmtree(folder)  # other tests look at the newest picture


def found(studio: Studio) -> Any:
    page = studio.open().tab("History")
    page.get_by_label("Search the history").fill("okapi")
    page.get_by_text(f"{COUNT} pictures", exact=True).wait_for()
    page.locator(f'.gs-cell-open[aria-label="Okapi {COUNT - 1}"] img').wait_for()
    studio.rest()
    return page


def test_pictures_are_as_large_as_one_wants_them_and_stay_in_sight(
    studio: Studio, pictures: None
) -> None:
    page = found(studio)
    size = page.get_by_label("Size of the pictures")
    expect(size).to_have_value("Medium")
    usual = page.evaluate(COLUMNS)
    page.locator(".gs-virtual").evaluate("(grid) => void (grid.scrollTop = 800)")
    page.wait_for_function(f"{FIRST} > 0", polling=100)
    before = page.evaluate(FIRST)
    size.select_option("Large")
    eventually(lambda: _fewer(page.evaluate(COLUMNS), usual))
    studio.rest()
    assert abs(page.evaluate(FIRST) - before) <= usual  # in its row, or beside it
    size.select_option("Small")
    eventually(lambda: _fewer(usual, page.evaluate(COLUMNS)))
    page = found(studio)  # the browser keeps it
    expect(size).to_have_value("Small")
    assert page.evaluate(COLUMNS) > usual
    size.select_option("Medium")
    eventually(lambda: _fewer(page.evaluate(COLUMNS), usual + 1))


def _fewer(one: int, other: int) -> None:
    assert one < other
