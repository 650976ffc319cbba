"""The benchmark of the page, a little of each: one visit to a page that is served already."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.bench import page, page_browser, page_home
from studio.preset import validate
from studio.share import save_image
from tests.support.studio_page import needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_what_a_person_waits_for_is_measured(
    browser: Any, address: str, home: Path, tmp_path: Path
) -> None:
    folder = home / "outputs" / "measured"
    save_image(Image.new("RGB", (32, 32)), validate({"name": "Measured"}), folder)
    with page_browser.visit(browser, address) as visited:
        opened = page_browser.opened(visited)
        made = page_browser.made(visited)
        shown = page_browser.history_opened(visited)
        frames = page_browser.scrolled(visited, 0.3)
        edits = page_browser.edited(visited, page_home.rows_of(3).to_json(), tmp_path, 1)
        rows = visited.evaluate(
            "studio.stack.cards.map((card) => card.row.prompt.split(', ').pop())"
        )
    shutil.rmtree(folder)
    # A letter for the second row, which went to the top; the one that was there then is deleted.
    assert rows == ["the 1thx", "the 2th", ""]
    assert opened["page usable"] > 0 and opened["a picture in sight"] > 0
    assert made > 0 and shown > 0
    assert all(times and min(times) > 0 for times in frames.values())
    times = {name: [one] for name, one in (opened | {"picture made at once": made}).items()}
    result = page.result(
        3, 1, 3, {"none": times, "many": times | {"History opened": [shown]}}, frames, edits
    )
    assert all(took["painted"]["median"] > 0 for took in result["edits"].values())
    told = page.markdown(result)
    assert "| a row dragged |" in told and "| History opened | – |" in told
