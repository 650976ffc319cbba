"""The texts of a training: what Train would refuse is marked while they are typed, and all can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from studio.train.runner import State
from studio.ui.train.view import samples
from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def marked(desk: Studio) -> Callable[[str, str], None]:
    """See that a field is marked, and with what; "" for one that is not."""

    def see(label: str, text: str) -> None:
        box = desk.page.locator("#gs-train").get_by_label(label)
        expect(box).to_have_attribute("aria-invalid", str(bool(text)).lower())
        if text:
            said = desk.page.locator(f"#{box.get_attribute('aria-describedby')}")
            expect(said).to_contain_text(text)

    return see


def with_caption(desk: Studio, text: str) -> Any:
    """The tab with one picture."""
    page = desk.tab("Train")
    page.evaluate(
        "(value) => { studio.pictures.props.value = value; studio.pictures.read(); }",
        {"pictures": [{"name": "a.png", "caption": text}], "thumbs": {}},
    )
    return page


def test_a_word_and_a_superclass_are_marked(desk: Studio, marked: Any) -> None:
    page = desk.tab("Train")
    word = page.locator("#gs-train-word input")
    word.fill("two words")
    marked("Word", "must be one word without brackets")
    word.fill("<hero>")
    marked("Word", "")
    superclass = page.locator("#gs-train-superclass input")
    superclass.fill("ghost " * 40)
    marked("Superclass", "at most 100")
    superclass.fill("")
    marked("Superclass", "")
    loss = page.locator("#gs-train-field-pdloss input[type=text]")
    loss.fill("0.002")  # it reads the superclass
    marked("Superclass", "needs the kind of thing that the target is")
    superclass.fill("ghost")
    marked("Superclass", "")
    loss.fill("0")


def test_captions_are_marked(desk: Studio, marked: Any) -> None:
    page = with_caption(desk, "")
    page.locator("#gs-train-word input").fill("<hero>")
    caption = page.get_by_label("Caption of a.png")
    caption.fill("a ghost at sea")
    marked("Caption of a.png", "does not hold the target word '<hero>'")
    caption.fill("a <hero> ghost at sea")
    marked("Caption of a.png", "")
    page.get_by_label("Target of a.png").fill("a ghost")
    marked("Target of a.png", "does not hold the word '<hero>'")
    marked("Caption of a.png", "")
    template = page.locator("#gs-train-template input")
    template.fill("a {sort}")
    marked("Caption of pictures without one", "may hold {word} and {superclass} only")


def test_a_refusal_goes_once_its_reason_may_be_gone(desk: Studio) -> None:
    page = with_caption(desk, "a ghost at sea")
    page.evaluate("studio.pictures?.keepOnly(() => false)")
    expect(page.locator(".gs-pic")).to_have_count(0)
    refused = page.locator("#gs-train-refused .gs-error")
    for mend in (
        lambda: page.locator("#gs-train-superclass input").fill("person"),
        lambda: page.click("#gs-train-examples"),
    ):
        page.click("#gs-train-start")
        expect(refused).to_have_text("Pictures: drop some pictures first")
        mend()
        expect(refused).to_have_count(0)
    expect(page.locator(".gs-pic")).not_to_have_count(0)


def test_a_long_caption_can_be_read_without_a_press(desk: Studio) -> None:
    page = with_caption(desk, "a <hero> ghost at sea under a clouded sky, " * 4)
    cut = "(box) => box.scrollWidth - box.clientWidth + box.scrollHeight - box.clientHeight"
    caption = page.get_by_label("Caption of a.png")
    assert caption.evaluate(cut) <= 0
    caption.fill("a <hero> ghost")
    low = caption.bounding_box()["height"]
    caption.fill("a <hero> ghost at sea under a clouded sky, " * 3)
    assert caption.evaluate(cut) <= 0 and caption.bounding_box()["height"] > low


def test_a_sample_s_caption_is_whole_where_the_keyboard_is(desk: Studio) -> None:
    state = State(
        samples=((3, "a <hero> ghost at sea under a clouded sky", Image.new("RGB", (8, 8))),)
    )
    page = desk.tab("Train")
    page.evaluate(
        "(html) => document.querySelector('#gs-train-now')?.insertAdjacentHTML('beforeend', html)",
        samples(state),
    )
    caption = page.locator(".gs-samples figcaption").last
    cut = "(node) => node.scrollWidth > node.clientWidth"
    page.mouse.move(0, 0)
    assert caption.evaluate(cut)
    page.get_by_role("button", name="Enlarge the sample of step 3").last.focus()
    assert not caption.evaluate(cut)
    page.evaluate("document.querySelector('#gs-train-now > .gs-samples')?.remove()")
