"""The stack of guidance rows in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = pytest.mark.browser


def test_rows_keep_their_values_when_they_are_changed(desk: Studio) -> None:
    desk.use(["one", "two", "three"])
    for index, weight in enumerate((1, -2.5, 3)):
        desk.weigh(index, weight)
    desk.press(0, "Move row down")
    assert [(r["prompt"], r["weight"]) for r in desk.rows()] == [
        ("two", -2.5),
        ("one", 1),
        ("three", 3),
    ]
    desk.press(2, "Duplicate row")
    desk.prompt(3).fill("four")
    desk.press(1, "Delete row")
    assert [r["prompt"] for r in desk.rows()] == ["two", "three", "four"]
    expect(desk.page.locator(".gs-prompt")).to_have_count(3)
    for index, prompt in enumerate(("two", "three", "four")):
        expect(desk.prompt(index)).to_have_value(prompt)
    expect(desk.page.locator(".gs-weight").first).to_have_value("-2.5")
    expect(desk.card(0)).to_contain_class("gs-negative")


def test_typing_while_rows_change_loses_nothing(desk: Studio) -> None:
    desk.use(["first", "second", "third"])
    desk.prompt(0).click()
    desk.page.keyboard.press("End")
    text = " sunflower in a field"
    for index, letter in enumerate(text):
        desk.page.keyboard.type(letter)
        if index % 5 == 2:
            desk.page.keyboard.press("Alt+ArrowDown")
        if index == 11:
            desk.page.evaluate(
                "studio.stack.add({prompt: 'added'});"
                "studio.focusNext(() => studio.stack.cards[2].prompt.focus())"
            )
    assert "first" + text in [row["prompt"] for row in desk.rows()]
    assert len(desk.rows()) == 4


def test_a_key_that_comes_before_the_frame_is_typed_into_the_new_row(desk: Studio) -> None:
    desk.use(["a fox"])
    desk.page.evaluate("void ((window.later = studio.afterPaint), (studio.afterPaint = () => {}))")
    try:
        desk.page.click(".gs-add")
        assert not desk.prompt(1).evaluate("(one) => one === document.activeElement")
        desk.page.keyboard.type("a hat")
        expect(desk.prompt(1)).to_have_value("a hat")
        desk.page.click(".gs-add")
        desk.prompt(0).click()  # a press elsewhere is where the keys go
        desk.page.keyboard.press("End")
        desk.page.keyboard.type("!")
        expect(desk.prompt(0)).to_have_value("a fox!")
    finally:
        desk.page.evaluate("void (studio.afterPaint = window.later)")


def test_a_negative_prompt_is_one_press_and_makes_the_rows_a_scale(desk: Studio) -> None:
    desk.use(["a fox in flat style"])
    desk.weigh(0, 7)
    negative = desk.page.get_by_role("button", name="Negative prompt", exact=True)
    negative.click()
    desk.page.keyboard.type("a blue background")
    expect(desk.prompt(1)).to_have_value("a blue background")
    assert [row["weight"] for row in desk.rows()] == [7, -6]
    expect(desk.page.get_by_label("CFG scale", exact=True)).to_have_value("7")
    expect(negative).to_be_hidden()
    desk.press(1, "Delete row")
    expect(negative).to_be_visible()
    desk.weigh(0, 1)  # nothing is left of a negative prompt
    expect(negative).to_be_hidden()


def test_a_plain_prompt_is_split_and_the_plan_follows(desk: Studio) -> None:
    desk.use(["a rocket in noto style on a blue background"])
    cost = desk.page.locator(".gs-cost")
    desk.page.wait_for_function("document.querySelector('.gs-cost')?.innerText.startsWith('2 ')")
    desk.card(0).locator(".gs-split").click()
    assert desk.rows()[0]["prompt"] == "a rocket AND in noto style AND on a blue background"
    desk.page.wait_for_function("document.querySelector('.gs-cost')?.innerText.startsWith('4 ')")
    expect(cost).to_contain_text("16 in all")


def test_range_and_reference_are_kept(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.press(0, "More: adapters")
    desk.card(0).get_by_label("End of the range", exact=True).fill("0.6")
    desk.card(0).get_by_label("Reference of this row").select_option("prompt")
    desk.card(0).get_by_label("Reference prompt").fill("a dog")
    row = desk.rows()[0]
    assert row["range"] == [0, 0.6] and row["reference"] == {"prompt": "a dog"}


@needs_starter
def test_control_image_gets_a_thumbnail(desk: Studio, tmp_path: Path) -> None:
    desk.use(["a house"])
    picture = tmp_path / "edges.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    desk.card(0).locator(".gs-prompting .gs-file").set_input_files(picture)
    desk.card(0).locator(".gs-prompting .gs-thumb img").wait_for()
    assert desk.rows()[0]["control"]["image"].startswith("inputs/")


def test_a_curve_is_chosen_and_drawn(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.press(0, "More: adapters")
    card = desk.card(0)
    card.get_by_label("Weight curve of this row").select_option("linear_up")
    assert desk.rows()[0]["curve"] == "linear_up"
    expect(card.locator(".gs-plot polyline")).to_have_attribute(
        "points", re.compile(r"^0\.0,22\.0")
    )
    card.get_by_label("Weight curve of this row").select_option("points")
    points = card.get_by_label("Points of the curve")
    points.fill("0:0, 0.5:2, 0.4:1")
    expect(points).to_have_attribute("aria-invalid", "true")
    assert desk.rows()[0]["curve"] == "0:0, 0.5:2, 0.4:1"  # kept as typed; Generate says why not
    points.fill("0:0, 0.5:2")
    assert desk.rows()[0]["curve"] == [[0, 0], [0.5, 2]]
    desk.page.wait_for_function(
        "document.querySelector('.gs-equation')?.innerText.includes('step 2:')"
    )


def test_a_mask_is_painted_and_the_plan_follows(desk: Studio, home: Path) -> None:
    desk.use(["a cat", "a dog"])
    desk.press(1, "More: adapters")
    desk.press(1, "Paint mask")
    box = desk.page.locator(".gs-canvas").bounding_box()
    mouse = desk.page.mouse
    mouse.move(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.5)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5, steps=4)
    mouse.up()
    desk.page.get_by_role("button", name="Use mask").click()
    desk.card(1).locator(".gs-masking .gs-thumb img").wait_for()
    mask = desk.rows()[1]["mask"]
    painted = np.asarray(Image.open(home / mask).convert("L")).astype(int)
    height, width = painted.shape
    assert height == width  # the aspect of the picture
    assert painted[height // 2, width // 5] == 255 and painted[height // 2, -1] == 0
    desk.page.wait_for_function("document.querySelector('.gs-equation')?.innerText.includes('M2⊙')")
    desk.press(1, "Paint mask")  # what was painted is there again
    desk.page.get_by_role("button", name="Invert").click()
    desk.page.get_by_role("button", name="Use mask").click()
    desk.page.wait_for_function(f"studio.stack.cards[1]?.row.mask !== '{mask}'")
    inverted = np.asarray(Image.open(home / desk.rows()[1]["mask"]).convert("L")).astype(int)
    assert np.abs(painted + inverted - 255).max() <= 2
    desk.press(1, "Remove mask")
    assert desk.rows()[1]["mask"] == ""


@needs_starter
def test_adapters_are_added_and_taken_away(desk: Studio) -> None:
    desk.use(["a hero"])
    card = desk.card(0)
    card.get_by_label("Model of this row").select_option(label="The hero (LoRA)")
    assert desk.rows()[0]["model"] == {"lora": "starter/lora-hero", "strength": 1}
    desk.press(0, "More: adapters")
    card.get_by_label("Add an adapter").select_option(label="Blob style (LoRA)")
    card.get_by_label("Strength of starter/lora-blob").fill("0.4")
    assert desk.rows()[0]["model"]["loras"] == [{"lora": "starter/lora-blob", "strength": 0.4}]
    desk.page.wait_for_function(
        "document.querySelector('.gs-equation')?.innerText.includes('0.4·Δ')"
    )
    desk.press(0, "Remove starter/lora-blob")
    assert desk.rows()[0]["model"] == {"lora": "starter/lora-hero", "strength": 1}
    card.get_by_label("Model of this row").select_option(index=0)
    assert desk.rows()[0]["model"] is None


def test_a_row_is_dragged_by_its_handle_and_keeps_every_value(desk: Studio) -> None:
    desk.use(["one", "two", "three"])
    for index, weight in enumerate((1, -2.5, 3)):
        desk.weigh(index, weight)
    desk.press(0, "More: adapters")
    desk.card(0).get_by_label("End of the range", exact=True).fill("0.6")
    desk.card(0).get_by_label("Reference of this row").select_option("own")
    desk.press(1, "Row takes part")  # mutes the second
    one, two, three = desk.rows()
    assert (one["range"], one["reference"], two["enabled"]) == ([0, 0.6], "own", False)

    def drag(index: int, onto: int) -> None:
        target = desk.card(onto)
        height = target.bounding_box()["height"]
        below = {"x": 40, "y": height - 3 if index < onto else 3}
        desk.card(index).locator(".gs-handle").drag_to(target, target_position=below)

    drag(0, 2)
    assert desk.rows() == [two, three, one]
    drag(2, 1)
    assert desk.rows() == [two, one, three]
    for index, prompt in enumerate(("two", "one", "three")):
        expect(desk.prompt(index)).to_have_value(prompt)
    labels = desk.page.locator(".gs-card").evaluate_all(
        "(cards) => cards.map((card) => card.ariaLabel)"
    )
    assert labels == [f"Guidance row {n}" for n in (1, 2, 3)]
    desk.page.wait_for_function(  # the server has the new order too: the muted row is out
        "document.querySelector('.gs-equation')?.innerText.search(/one[^]*three/) >= 0"
    )


def test_a_negative_prompt_makes_its_pair(desk: Studio) -> None:
    desk.use(["a cat face"])
    desk.weigh(0, 7.5)
    desk.press(0, "More: adapters")
    desk.card(0).get_by_label("Reference of this row").select_option("pair")
    desk.page.keyboard.type("in tweet style")
    rows = [(row["prompt"], row["weight"], row["reference"]) for row in desk.rows()]
    assert rows == [
        ("a cat face", 7.5, "unconditional"),
        ("in tweet style", -6.5, "unconditional"),
    ]
    desk.says("2 passes per step", "#gs-plan")
    # One number for both, as elsewhere: letter by letter, and one step of undo.
    scale = desk.page.get_by_label("CFG scale", exact=True)
    expect(scale).to_have_value("7.5")
    desk.rest(600)  # no hand is as fast, and what is changed in one moment is one step
    desk.weigh(0, 9)
    expect(scale).to_have_value("")  # these weights are of no scale
    desk.rest(600)
    scale.fill("")
    scale.press_sequentially("12")
    assert [row["weight"] for row in desk.rows()] == [12, -11]
    desk.generate()  # which leaves the unconditional pass out, and with it what tells shares
    desk.says("share not known: a pass", ".gs-card:nth-child(1) .gs-share")
    scale.blur()
    desk.rest(600)
    desk.page.get_by_role("button", name="Undo").first.click()
    desk.page.wait_for_function("studio.stack.cards[0]?.row.weight === 9")
    assert desk.rows()[1]["weight"] == -6.5
    desk.page.locator(".gs-scale .gs-vary").click()
    axis = desk.page.get_by_label("Across: values of CFG scale")
    axis.fill("3, 7")
    desk.says("2 pictures", ".gs-sweep-cost")
    desk.page.get_by_role("button", name="Do not vary CFG scale").click()
    desk.tab("Result")


def test_a_new_row_begins_at_one_beside_others(desk: Studio) -> None:
    desk.use(["a cat", "a dog"])
    assert [row["weight"] for row in desk.rows()] == [5, 1]


def test_all_rows_are_muted_and_folded_at_once(desk: Studio) -> None:
    desk.use(["a cat", "a dog"])
    desk.page.get_by_role("button", name="Mute all").click()
    assert [row["enabled"] for row in desk.rows()] == [False, False]
    desk.says("all rows are muted, so the picture is what the base draws", "#gs-plan")
    desk.page.get_by_role("button", name="Unmute all").click()
    desk.page.get_by_role("button", name="Collapse").click()
    expect(desk.page.locator(".gs-weight").first).to_be_hidden()
    expect(desk.prompt(0)).to_be_visible()
