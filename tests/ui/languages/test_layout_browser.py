"""What longer words and a mirrored page ask of the layout: whole buttons, and sides that agree."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from studio.languages import ENGLISH, languages
from tests.support.studio_page import Studio, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
OTHERS = [tag for tag in languages() if tag != ENGLISH]
# Buttons of the dock whose words are wider than themselves without what they keep around them.
TIGHT = """() => [...document.querySelectorAll('#gs-actions button')].filter((node) => {
    const words = document.createRange();
    words.selectNodeContents(node);
    return node.checkVisibility() &&
        words.getBoundingClientRect().width > node.clientWidth - 6;
}).map((node) => node.innerText)"""
# Hints of empty fields, and choices, that are longer than their boxes.
CUT = """() => [...document.querySelectorAll('#gs-left select, [role=tabpanel] :is(input, select)')]
    .filter((node) => node.checkVisibility() && node.clientWidth).map((node) => {
        const words = node.selectedOptions?.[0]?.textContent ?? (node.value ? '' : node.placeholder);
        const style = getComputedStyle(node);
        const pen = document.createElement('canvas').getContext('2d');
        pen.font = style.font;
        const room = node.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        return pen.measureText(words || '').width > room + 1 ? words : '';
    }).filter(Boolean)"""
# Lines of tabs with a bar to scroll them up and down.
ROLLED = """() => [...document.querySelectorAll('#gs-tabs :is(.tab-wrapper, .tab-container)')]
    .filter((node) => node.scrollHeight > node.clientHeight
        && ['auto', 'scroll'].includes(getComputedStyle(node).overflowY))
    .map((node) => node.className)"""
PAIR = """([red, blue]) => {
    const picture = (id, src) => ({ id, title: id, differs: [], image: { src } });
    const dialog = studio.compareDialog([picture('first', red), picture('second', blue)]);
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector('[data-mode=slider]')?.click();
}"""


def _plain(colour: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_the_words_of_the_buttons_to_press_fit_them(desk: Studio) -> None:
    page = desk.page
    for tag in OTHERS:
        desk.speak(tag)
        for width, height in ((1280, 800), (1000, 700), (640, 400), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            desk.rest()
            assert page.evaluate(TIGHT) == [], (tag, width)
            assert page.evaluate(ROLLED) == [], (tag, width)
        page.get_by_role("tab").nth(
            1
        ).click()  # the History, whose search says what it looks through
        page.locator(".gs-history .gs-shelf-search").wait_for()
        assert page.evaluate(CUT) == [], tag
        expect(page.locator("footer .divider")).to_be_hidden()  # a dot between nothing and nothing
        page.get_by_role("tab").first.click()
        page.set_viewport_size({"width": 1440, "height": 950})
    desk.speak(ENGLISH)


def test_under_a_slider_each_picture_is_on_the_side_of_its_caption(desk: Studio) -> None:
    page = desk.page
    for tag in (ENGLISH, "ar"):
        desk.speak(tag)
        page.evaluate(PAIR, [_plain("red"), _plain("blue")])
        dialog = page.locator(".gs-compare-dialog")
        caption = dialog.locator("figcaption").first.bounding_box()
        frame = dialog.locator(".gs-compare-frame").first
        page.wait_for_function(
            "document.querySelector('.gs-compare')?.style.getPropertyValue('--shape') === '1'"
        )
        box = frame.bounding_box()
        slider = dialog.locator("input[type=range]")
        first_left = caption["x"] < box["x"] + box["width"] / 4
        assert first_left is (tag == ENGLISH)
        # The pictures' own: a slider moves over no empty side.
        assert abs(box["width"] - box["height"]) < 2
        seen = Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")
        for part in (0.4, 0.6):  # both lie within the picture
            red, _, blue = seen.getpixel((int(seen.width * part), seen.height // 2))
            assert (red > blue) is (first_left is (part < 0.5)), (tag, part)
        slider.focus()
        slider.press("ArrowLeft")  # a thumb goes where the edge goes
        expect(slider).to_have_value("49" if first_left else "51")
        page.keyboard.press("Escape")
    desk.speak(ENGLISH)
