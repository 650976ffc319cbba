"""Words without a break, as names and prompts may have them: they stay within their own card."""

from __future__ import annotations

from typing import Any

import pytest

from studio.preset import validate
from studio.share import encode_link
from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser
LONG = "Supercalifragilistic" * 8
# Pixels that the text of a place goes beyond its card.
BEYOND = """([place, card]) => {
    const range = document.createRange();
    range.selectNodeContents(place);
    return range.getBoundingClientRect().right - place.closest(card).getBoundingClientRect().right;
}"""


def beyond(place: Any, card: str) -> float:
    return place.evaluate(f"(place) => ({BEYOND})([place, '{card}'])")


@pytest.mark.parametrize("width", [1280, 390])
def test_long_words_leave_no_card(studio: Studio, width: int) -> None:
    page = studio.open().page
    page.set_viewport_size({"width": width, "height": 860})
    studio.use([f"{LONG} <lora:{LONG[:90]}:1> __{LONG[:80]}__"])
    for words in (".gs-unknown b", ".gs-prompt-hints p"):
        for place in page.locator(words).all():
            assert beyond(place, ".gs-card") <= 0, words
    name = LONG[:120]
    page.get_by_label("Preset", exact=True).fill(name)
    studio.tab("Presets")
    page.get_by_role("button", name="Save", exact=True).click()
    card = page.locator(".gs-preset strong", has_text=name).first
    expect(card).to_be_visible()
    assert beyond(card, ".gs-preset") <= 0


def test_a_link_with_a_long_name_leaves_the_press_that_closes_its_look(studio: Studio) -> None:
    preset = validate({"name": LONG, "rows": [{"prompt": LONG}]})
    page = studio.open(f"?p={encode_link(preset)[0]}").page
    close = page.get_by_role("button", name="Close the look")
    expect(close).to_be_visible()
    for place in page.locator(".gs-look strong, .gs-look code, .gs-look li").all():
        assert beyond(place, ".gs-look") <= 0
    assert beyond(close, ".gs-look") <= 0
    close.click()
    expect(close).to_have_count(0)


def test_the_fold_of_what_is_advanced_leaves_its_arrow_in_sight(studio: Studio) -> None:
    preset = validate(
        {
            "rows": [{"prompt": "a cat"}],
            "vae": "starter/fine",
            "seamless": "x",
            "clip_skip": 2,
            "guidance_rescale": 0.5,
        }
    )
    page = studio.open(f"?p={encode_link(preset)[0]}").page
    page.set_viewport_size({"width": 390, "height": 860})
    head = page.locator("#gs-advanced")
    expect(head.locator(".gs-advanced-holds")).to_contain_text("and 1 more")
    assert head.evaluate("(node) => node.scrollWidth - node.clientWidth") == 0
    arrow, box = head.locator("> button > .icon").bounding_box(), head.bounding_box()
    assert arrow and box and arrow["x"] + arrow["width"] <= box["x"] + box["width"]


def test_what_is_said_of_a_training_with_a_long_name_leaves_the_page_as_wide_as_it_is(
    studio: Studio,
) -> None:
    page = studio.open().page
    page.set_viewport_size({"width": 390, "height": 860})
    studio.tab("Train")
    said = page.locator("#gs-train-progress .gs-progress-text")
    expect(said).to_be_visible()
    said.evaluate("(place, name) => (place.textContent = `Done: ${name} is in the library`)", LONG)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
