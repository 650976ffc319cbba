"""What a reload keeps: a linked preset's edits, each tab's own form, what is half typed."""

from __future__ import annotations

import pytest

from studio.preset import validate
from studio.share import encode_link
from tests.support.studio_page import Studio

pytestmark = pytest.mark.browser


def test_edits_of_a_linked_preset_survive_a_reload(studio: Studio) -> None:
    code, _ = encode_link(validate({"name": "Linked", "rows": [{"prompt": "a linked cat"}]}))
    studio.open(f"?p={code}")
    assert studio.prompt(0).input_value() == "a linked cat"
    studio.prompt(0).fill("an edited cat")
    studio.page.wait_for_selector(".gs-edited")  # the name stands for something else now
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'an edited cat'")
    beside = Studio(
        studio.page.context.new_page(), studio.address
    ).open()  # the form as it was left
    beside.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'an edited cat'")
    beside.page.wait_for_selector(".gs-edited")
    beside.page.close()
    other = encode_link(validate({"rows": [{"prompt": "another link"}]}))[0]
    studio.open(f"?p={other}")
    assert studio.prompt(0).input_value() == "another link"


def test_two_tabs_do_not_share_one_form(studio: Studio) -> None:
    studio.open().use(["first tab"])
    beside = Studio(studio.page.context.new_page(), studio.address).open()
    beside.use(["second tab"])
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'first tab'")
    beside.page.reload()
    beside.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'second tab'")
    assert not beside.errors


def test_what_is_half_typed_survives_a_reload(studio: Studio) -> None:
    studio.open().use(["a cat"])
    studio.set("Steps", "5000")
    studio.page.reload()
    studio.page.wait_for_function("window.studio?.stack?.cards[0]?.row.prompt === 'a cat'")
    studio.page.wait_for_function(
        "document.querySelector('#gs-field-steps .gs-number').value === '5000'"
    )
    assert studio.page.locator("#gs-field-steps .gs-error:not([hidden])").first.is_visible()
