"""The lines of a row's details, on a phone, at 200 % zoom and beside the picture: nothing is cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
CONTROLLED = REPOSITORY / "presets" / "10-control-image.json"
# What stands in the lines: what leaves its card, what lies over another, a text of several lines, and
# lists and texts too narrow for what they hold.
CUT = """() => {
    const card = document.querySelector('.gs-card');
    const shown = (node) => node.getClientRects().length > 0;
    const name = (node) => node.getAttribute('aria-label') || node.innerText;
    const { left, right } = card.getBoundingClientRect();
    const found = [];
    for (const line of card.querySelectorAll('.gs-control, .gs-details > .gs-line')) {
        const nodes = [...line.querySelectorAll('button, select, input:not([type=range]), svg, label')]
            .filter((node) => shown(node) && !node.closest('button, .gs-dual')?.contains(node.parentNode));
        for (const node of nodes) {
            const box = node.getBoundingClientRect();
            if (box.left < left || box.right > right) found.push(`outside: ${name(node)}`);
            if (node.matches('label') && box.height > 40) found.push(`broken: ${name(node)}`);
            for (const other of nodes) {
                if (node.contains(other) || other.contains(node)) continue;
                const next = other.getBoundingClientRect();
                if (box.left < next.right - 1 && next.left < box.right - 1 &&
                    box.top < next.bottom - 1 && next.top < box.bottom - 1)
                    found.push(`over each other: ${name(node)}, ${name(other)}`);
            }
        }
        for (const select of line.querySelectorAll('select')) {
            if (!shown(select)) continue;
            const pen = document.createElement('canvas').getContext('2d');
            pen.font = getComputedStyle(select).font;
            const needed = pen.measureText(select.selectedOptions[0]?.text || '').width + 36;
            if (select.clientWidth < needed) found.push(`cut: ${select.selectedOptions[0].text}`);
        }
        for (const text of line.querySelectorAll('input.gs-text'))
            if (shown(text) && text.clientWidth < 150) found.push(`narrow: ${name(text)}`);
    }
    return found;
}"""


@pytest.mark.parametrize("width", [1280, 640, 390])
def test_what_a_row_holds_is_whole_at_every_width(studio: Studio, width: int) -> None:
    page = studio.page
    page.set_viewport_size({"width": width, "height": 844})
    studio.open()
    studio.load(Path(CONTROLLED))
    studio.has_rows(["a cat face in flat style on an orange background"])
    studio.press(0, "More: adapters")
    card = studio.card(0)
    curve = card.get_by_role("combobox", name="Weight curve")
    plot = card.locator(".gs-curving .gs-plot")
    drawn, named = plot.bounding_box(), curve.bounding_box()
    assert drawn["y"] < named["y"] + named["height"]  # without points nothing lies between the two
    curve.select_option("own points")
    card.get_by_role("combobox", name="Reference").select_option("another prompt")
    studio.rest()
    assert page.evaluate(CUT) == []


def test_why_a_share_is_not_known_is_whole_beside_the_row_s_range(
    studio: Studio, tmp_path: Path
) -> None:
    page = studio.page
    page.set_viewport_size({"width": 390, "height": 844})
    studio.open()
    rows = [{"prompt": "a cat", "range": [0, 0.5]}, {"prompt": "a dog", "weight": -4}]
    preset = {"rows": [{"weight": 5, **row} for row in rows], "sampler": {"steps": 2}}
    (tmp_path / "ranged.json").write_text(json.dumps(preset))
    studio.load(tmp_path / "ranged.json")
    studio.has_rows(["a cat", "a dog"])
    studio.generate()
    said = studio.card(0).locator(".gs-share-text", has_text="not known")
    expect(said).to_be_visible()
    text, chip = said.bounding_box(), studio.card(0).locator(".gs-chip").first.bounding_box()
    assert text["x"] + text["width"] <= chip["x"]
