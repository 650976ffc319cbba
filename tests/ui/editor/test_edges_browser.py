"""The thresholds of a control image's edges, in Chromium."""

from __future__ import annotations

import pytest

from tests.support import REPOSITORY
from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]
APART = "(one, other) => Math.abs(one.getBoundingClientRect().y - other.getBoundingClientRect().y)"
CAT = REPOSITORY / "assets" / "examples" / "cat.png"


def test_thresholds_stand_beside_edges_alone_and_the_map_follows_them(studio: Studio) -> None:
    studio.open().use(["a cat"])
    card = studio.card(0)
    low, high = card.get_by_label("Low threshold"), card.get_by_label("High threshold")
    expect(low).to_be_hidden()
    card.locator(".gs-prompting .gs-file").set_input_files(CAT)
    expect(low).to_have_value("100")
    expect(high).to_have_value("200")
    preview, shown = card.get_by_role("button", name="Preview map"), card.locator(".gs-map-image")
    preview.click()
    expect(shown).to_be_visible()
    usual = shown.get_attribute("src")
    low.fill("900")
    high.fill("1000")
    expect(shown).to_be_hidden()  # it is another one's
    preview.click()
    expect(shown).to_be_visible()
    expect(shown).not_to_have_attribute("src", str(usual))
    (row,) = studio.rows()
    assert (row["control"]["low"], row["control"]["high"]) == (900, 1000)
    card.get_by_label("What is read from the control image").select_option("Finished map")
    expect(low).to_be_hidden()
    expect(studio.page.locator(".gs-error:not([hidden])")).to_have_count(0)
    assert "low" not in studio.rows()[0]["control"]


def test_the_button_that_removes_a_control_is_never_alone_on_a_line(studio: Studio) -> None:
    studio.open().use(["a cat"])
    card = studio.card(0)
    card.locator(".gs-prompting .gs-file").set_input_files(CAT)
    preview = card.get_by_role("button", name="Preview map")
    remove = card.get_by_role("button", name="Remove control image")
    for reading in ("Edges (Canny)", "Pose", "Finished map"):
        card.get_by_label("What is read from the control image").select_option(label=reading)
        for width in range(1500, 380, -80):
            studio.page.set_viewport_size({"width": width, "height": 900})
            # At one moment: notes that come above them move both.
            apart = preview.evaluate(APART, remove.element_handle())
            assert apart < 12, (reading, width)


def test_a_second_control_image_acts_beside_the_first(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat"], steps=1)
    card = studio.card(0)
    another = card.get_by_role("button", name="Another control image")
    expect(another).to_be_hidden()
    card.locator(".gs-prompting .gs-file").set_input_files(CAT)
    expect(another).to_be_visible()
    studio.generate()
    another.click()
    lines = card.locator(".gs-control:visible")
    expect(lines).to_have_count(2)
    expect(lines.nth(1).locator("img")).to_have_count(1)  # begins with the first one's picture
    second = card.get_by_label("Control strength 2")
    second.fill("0,5")
    (row,) = studio.rows()
    assert row["controls"][0]["image"] == row["control"]["image"]
    assert row["controls"][0]["strength"] == 0.5 and row["control"]["strength"] == 1
    studio.says('"a cat", canny, canny', "#gs-plan")
    studio.generate()
    second.fill("9")
    expect(card.locator(".gs-error:visible")).to_contain_text("4")
    second.fill("0.25")
    page.reload()
    page.wait_for_selector(".gs-card")
    expect(card.get_by_label("Control strength 2")).to_have_value("0.25")
    card.get_by_role("button", name="Remove control image", exact=True).click()
    expect(lines).to_have_count(1)
    expect(card.get_by_label("Control strength", exact=True)).to_have_value("0.25")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+z")
    expect(lines).to_have_count(2)
    expect(card.get_by_label("Control strength", exact=True)).to_have_value("1")
    page.set_viewport_size({"width": 390, "height": 800})
    box = lines.nth(1).bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_what_is_dropped_on_a_control_is_that_one_s_picture(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat"], steps=1)
    card = studio.card(0)
    card.locator(".gs-prompting .gs-file").set_input_files(CAT)
    card.get_by_role("button", name="Another control image").click()
    expect(card.get_by_role("button", name="Replace control image 2")).to_be_visible()
    before = studio.rows()[0]["control"]["image"]
    page.evaluate(
        """() => {
            const canvas = document.createElement("canvas");
            canvas.toBlob((blob) => {
                const data = new DataTransfer();
                data.items.add(new File([blob], "white.png", { type: "image/png" }));
                const init = { dataTransfer: data, bubbles: true, cancelable: true };
                document.querySelectorAll(".gs-control")[1].dispatchEvent(new DragEvent("drop", init));
            });
        }"""
    )
    page.wait_for_function(
        "before => studio.stack.cards[0].row.controls[0].image !== before", arg=before, polling=100
    )
    assert studio.rows()[0]["control"]["image"] == before
    uses = page.evaluate("studio.pictureUses().map(({ label }) => label)")
    assert "Control image 2 of row 1: a cat" in uses


def test_the_keyboard_stays_with_the_controls_that_are_left(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat"], steps=1)
    card = studio.card(0)
    card.locator(".gs-prompting .gs-file").set_input_files(CAT)
    another = card.get_by_role("button", name="Another control image")
    for _ in range(7):
        another.focus()
        page.keyboard.press("Enter")
    expect(another).to_be_hidden()
    full = card.get_by_text("8 control images, as many as a row takes.")
    expect(full).to_be_visible()
    expect(card.get_by_role("button", name="Remove control image 8")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card.get_by_role("button", name="Remove control image 7")).to_be_focused()
    expect(full).to_be_hidden()
    expect(another).to_be_visible()


def test_a_picture_that_several_rows_lack_is_chosen_once(studio: Studio) -> None:
    page = studio.open().page
    studio.use(["a cat", "a dog", "a bird"], steps=1)
    page.evaluate(
        """() => studio.stack.cards.forEach((card, at) => card.edit({
            control: { type: "canny", image: "", strength: at === 1 ? 0.5 : 0.8, model: null },
        }))"""
    )
    studio.card(0).locator(".gs-prompting .gs-file").set_input_files(CAT)
    toast = page.locator(".gs-toast", has_text="the same control")
    expect(toast).to_have_text("Row 3: the same control had no picture, and has this one, too.")
    first, other, last = [row["control"] for row in studio.rows()]
    assert first == last and first["image"] and not other["image"]
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+z")
    expect(studio.card(2).locator(".gs-control-thumb img")).to_have_count(0)
    expect(studio.card(0).locator(".gs-control-thumb img")).to_have_count(0)
