"""What a link brings: at once where nothing goes for it, else asked; a damaged one changes nothing."""

from __future__ import annotations

import pytest

from studio.preset import validate
from studio.share import encode_link
from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect

pytestmark = pytest.mark.browser


def test_a_link_over_an_edited_form_asks_first(studio: Studio) -> None:
    """The same in the tab of that form and in a new one; a reload asks again, an answer lasts."""
    page = studio.open().page
    look = page.locator(".gs-look")
    studio.use(["my own cat"])
    page.wait_for_selector(".gs-edited")
    rows = [
        {"prompt": "a rocket", "model": {"lora": "someone/absent-lora", "strength": 1.0}},
        {"prompt": "blurry", "weight": -2.0},
    ]
    code = encode_link(validate({"name": "From a friend", "rows": rows}))[0]
    beside = Studio(page.context.new_page(), studio.address).open(f"?p={code}")
    expect(beside.page.locator(".gs-look")).to_contain_text("From a friend")
    beside.page.close()
    for _ in range(2):
        studio.open(f"?p={code}")
        expect(studio.prompt(0)).to_have_value("my own cat")
        expect(look.locator("strong").first).to_be_focused()
    expect(look).to_contain_text("Towards a rocket · weight 5 · someone/absent-lora")
    expect(look).to_contain_text("Away from blurry · weight −2")
    expect(look.locator(".gs-missing code")).to_have_text(["someone/absent-lora"])
    expect(look.get_by_role("button")).to_have_text(["Open it", "Keep mine", "Download"])
    wide = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    boxes = [
        look.get_by_role("button", name=name).bounding_box() for name in ("Open it", "Keep mine")
    ]
    one, other = (box or {} for box in boxes)
    apart = other["x"] - one["x"] - one["width"], other["y"] - one["y"] - one["height"]
    assert max(apart) >= 4  # beside each other or below, no finger meets both
    page.set_viewport_size(wide)
    look.get_by_role("button", name="Keep mine").press("Enter")
    expect(look).to_have_count(0)
    expect(page.locator("#gs-heading")).to_be_focused()
    page.reload()
    page.wait_for_selector("body:not([inert])")
    expect(studio.prompt(0)).to_have_value("my own cat")
    expect(look).to_have_count(0)
    other = encode_link(validate({"name": "Another", "rows": [{"prompt": "another cat"}]}))[0]
    studio.open(f"?p={other}")
    look.get_by_role("button", name="Open it").click()
    studio.has_rows(["another cat"])
    expect(look).to_have_count(0)
    page.get_by_role("button", name="Undo (Ctrl+Z)").click()
    studio.has_rows(["my own cat"])


def test_a_link_of_a_newcomer_loads_at_once_and_says_what(studio: Studio) -> None:
    code, _ = encode_link(validate({"name": "Linked", "rows": [{"prompt": "a linked cat"}]}))
    studio.open(f"?p={code}")
    expect(studio.prompt(0)).to_have_value("a linked cat")
    look = studio.page.locator(".gs-look")
    expect(look).to_contain_text("Towards a linked cat · weight 5")
    look.get_by_role("button", name="Close the look").click()
    expect(look).to_have_count(0)
    other, _ = encode_link(validate({"name": "Other", "rows": [{"prompt": "another cat"}]}))
    studio.open(f"?p={other}")  # what came by the first was not edited
    expect(studio.prompt(0)).to_have_value("another cat")
    expect(look).to_contain_text("Other")
    studio.load(REPOSITORY / "presets" / "01-plain-guidance.json")
    expect(look).to_have_count(0)  # it says nothing of what is there now


def test_a_damaged_link_leaves_the_form_as_it_is(studio: Studio) -> None:
    studio.open().use(["a form of mine"])
    studio.page.wait_for_function(
        "sessionStorage.getItem('guidance-studio-tab')?.includes('of mine')"
    )
    studio.open("?p=damaged")
    studio.says("link: is cut off", ".toast-body")
    studio.has_rows(["a form of mine"])


def test_a_damaged_link_leaves_an_edited_form_edited(studio: Studio) -> None:
    code, _ = encode_link(validate({"name": "Linked", "rows": [{"prompt": "a linked cat"}]}))
    studio.open(f"?p={code}")
    expect(studio.prompt(0)).to_have_value("a linked cat")
    studio.prompt(0).fill("an edited cat")
    studio.page.wait_for_selector(".gs-edited")
    beside = Studio(studio.page.context.new_page(), studio.address)
    for tab, enabled in ((studio, "false"), (beside, "true")):
        tab.open("?p=damaged")
        expect(tab.prompt(0)).to_have_value("an edited cat")
        tab.page.wait_for_selector(".gs-edited")
        tab.press(0, "Row takes part")
        tab.page.wait_for_function(
            "(enabled) => sessionStorage.getItem('guidance-studio-tab')?.includes(enabled)",
            arg=f'"enabled":{enabled}',
        )
        tab.page.wait_for_selector(".gs-edited")
    beside.page.close()
