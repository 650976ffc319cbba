"""What Train would refuse of the texts is marked while they are typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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
    page = desk.tab("Train")
    page.locator("#gs-train-word input").fill("<hero>")
    value = {"pictures": [{"name": "a.png", "caption": ""}], "thumbs": {}}
    page.evaluate(
        "(value) => { studio.pictures.props.value = value; studio.pictures.read(); }", value
    )
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
