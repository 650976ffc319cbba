"""Words under a prompt in a real browser: completion, what goes beyond a window, unknown ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.support.studio_page import Studio, eventually, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_known_words_complete_what_is_typed(desk: Studio) -> None:
    desk.use([""])
    keys, offered = desk.page.keyboard, desk.page.get_by_role("listbox")
    desk.prompt(0).click()
    keys.type("a sungl")
    expect(offered.get_by_role("option")).to_have_text(["sunglasses face", "sunglasses"])
    keys.press("ArrowDown")
    keys.press("Enter")
    keys.type(" in fl")
    offered.get_by_text("in flat style").click()
    assert desk.rows()[0]["prompt"] == "a sunglasses face in flat style"
    keys.type(" ro")
    keys.press("ArrowDown")
    keys.press("Tab")  # takes what is chosen, as Enter does, and stays
    assert desk.rows()[0]["prompt"].endswith(" in flat style robot")
    expect(desk.prompt(0)).to_be_focused()
    keys.type(" ro")
    offered.wait_for()
    keys.press("Escape")  # closes the list, and nothing else
    expect(offered).to_be_hidden()
    desk.page.evaluate("studio.emit('styles', [{ title: 'Noir', prompt: 'as a film of 1948' }])")
    keys.type(", noi")
    offered.get_by_text("Noir: as a film of 1948").click()
    assert desk.rows()[0]["prompt"].endswith(" ro, as a film of 1948")
    keys.press("Tab")  # a list that is closed, or open, never holds the focus
    expect(desk.prompt(0)).not_to_be_focused()


def test_tags_of_one_s_own_lists_are_completed(desk: Studio, home: Path) -> None:
    desk.use([""])
    keys, offered = desk.page.keyboard, desk.page.get_by_role("listbox")
    (home / "tags").mkdir(exist_ok=True)
    (home / "tags" / "danbooru.csv").write_text('zettai_ryouiki_(x),0,90,"zr"\nzettai_more,0,5\n')
    desk.prompt(0).click()
    keys.type("a girl, zett")
    expect(offered.get_by_role("option")).to_have_text([r"zettai ryouiki \(x\)", "zettai more"])
    keys.press("ArrowDown")
    keys.press("Enter")
    assert desk.rows()[0]["prompt"] == r"a girl, zettai ryouiki \(x\)"
    keys.type(", zettai m")
    offered.get_by_text("zettai more").wait_for()
    keys.press("Tab")  # takes the first of what was begun, as in other tools
    assert desk.rows()[0]["prompt"] == r"a girl, zettai ryouiki \(x\), zettai more"
    expect(desk.prompt(0)).to_be_focused()
    keys.press("Tab")
    expect(desk.prompt(0)).not_to_be_focused()
    (home / "tags" / "danbooru.csv").unlink()  # of the other tests too


def test_swarmui_s_tags_are_written_anew_by_a_press(desk: Studio) -> None:
    desk.use(["a <random:cat,dog> face <segment:eyes>"])
    desk.card(0).get_by_role("button", name="Write the tags as they are read here").click()
    desk.has_rows(["a {cat|dog} face <segment:eyes>"])
    expect(desk.card(0).get_by_role("button", name="Every choice in turn")).to_be_visible()
    expect(desk.card(0).get_by_text("SwarmUI's tags are read as plain words")).to_be_visible()
    expect(desk.card(0).get_by_role("button", name="Write the tags")).to_have_count(0)


def test_a_negative_prompt_below_a_prompt_becomes_its_row_by_a_press(desk: Studio) -> None:
    desk.use(["a cat,\nNegative prompt: blurry, a dog"])
    desk.weigh(0, 6)
    desk.card(0).get_by_role("button", name="Make it the negative prompt").click()
    desk.has_rows(["a cat", "blurry, a dog"])
    assert [row["weight"] for row in desk.rows()] == [6, -5]
    expect(desk.card(0).get_by_role("button", name="Make it the")).to_have_count(0)
    desk.page.get_by_label("Undo").first.click()
    desk.has_rows(["a cat,\nNegative prompt: blurry, a dog"])
    desk.weigh(0, 0.5)
    desk.card(0).get_by_role("button", name="Make it the negative prompt").click()
    desk.says("A negative prompt needs a row whose weight is above 1", ".gs-toast")
    desk.has_rows(["a cat,\nNegative prompt: blurry, a dog"])
    desk.use(["a cat\nNegative prompt: blurry", "fog"])
    desk.weigh(0, 6)
    desk.weigh(1, -5)
    desk.card(0).get_by_role("button", name="Make it the negative prompt").click()
    desk.has_rows(["a cat", "fog, blurry"])
    assert [row["weight"] for row in desk.rows()] == [6, -5]


def test_wildcards_and_tags_are_completed(desk: Studio, home: Path) -> None:
    (home / "wildcards").mkdir(exist_ok=True)
    (home / "wildcards" / "hat.txt").write_text("cap\nbonnet\n")
    desk.use([""])
    keys, offered = desk.page.keyboard, desk.page.get_by_role("listbox")
    desk.prompt(0).click()
    keys.type("a cat in a __")
    desk.rest(2000)  # they were asked for a moment ago
    keys.type("h")
    offered.get_by_text("__hat__").wait_for()
    keys.press("Tab")
    keys.type(", <lora:lora-her")  # other tests may have trained heroes
    offered.get_by_text("The hero (LoRA)").wait_for()
    keys.press("ArrowDown")
    keys.press("Enter")
    desk.says("The hero (LoRA) is in this row now.", ".gs-toast")
    (row,) = desk.rows()
    assert row["prompt"] == "a cat in a __hat__"
    assert row["model"] == {"lora": "starter/lora-hero", "strength": 1}
    # One is written on the page, from the prompt that names it or from a file that is dropped.
    page = desk.page
    desk.prompt(0).fill("a __cloak__")
    desk.says("there is no wildcard 'cloak'", "#gs-plan")
    page.get_by_role("button", name="Choices of __cloak__").click()
    page.locator(".gs-wildcard textarea").fill("red\nblue")
    page.get_by_role("button", name="Keep the choices").click()
    desk.says("its choices are made for each image", "#gs-plan")
    assert (home / "wildcards" / "cloak.txt").read_text() == "red\nblue\n"
    page.evaluate("studio.askFiles([new File(['one\\n\\ntwo'], 'My list.txt')])")
    page.get_by_role("button", name="Choices of the wildcard __My-list__ …").click()
    page.get_by_role("button", name="Keep the choices").click()
    desk.says("__My-list__ has 2 choices.", ".gs-toast")
    (home / "My list.txt").write_text("one\n\ntwo")
    desk.load(home / "My list.txt")  # *Open* asks what a dropped file is asked
    page.get_by_role("button", name="Prompts in turn, in row 1").click()
    (home / "My list.txt").unlink()
    texts = page.get_by_label("Across: values of prompt of row 1")
    expect(texts).to_have_value("one\ntwo")
    page.get_by_role("button", name="Do not vary prompt of row 1").click()
    desk.tab("Result")
    shutil.rmtree(home / "wildcards")


@pytest.mark.parametrize("width", [1440, 390])
def test_what_is_beyond_a_window_is_shaded_where_it_stands(desk: Studio, width: int) -> None:
    desk.use(["a rocket in noto style on a blue background " * 4])
    desk.page.set_viewport_size({"width": width, "height": 950})
    card = desk.card(0)
    desk.says("the shaded words are read in a second window", ".gs-length")
    shaded = "".join(card.locator(".gs-marks mark").all_inner_texts())
    assert shaded.split()[0] == "noto" and len(shaded.split()) == 36 - 30

    def lie_over_each_other() -> None:
        sizes = card.evaluate(
            "(card) => ['.gs-marks', '.gs-prompt'].map((which) => card.querySelector(which))"
            ".map((n) => [parseFloat(getComputedStyle(n).fontSize), n.clientWidth])"
        )
        assert np.allclose(*sizes, rtol=0, atol=1)  # else the shade lies beside its words

    eventually(lie_over_each_other)
    desk.prompt(0).fill("a rocket AND in noto style:1.2")
    desk.says("3 of 30 tokens in the longest of 2 parts", ".gs-tokens")
    desk.page.set_viewport_size({"width": 1440, "height": 950})


def test_the_count_is_whole_and_beside_a_lora_at_every_width(desk: Studio) -> None:
    desk.use(["a hero AND in noto style AND a cat"])
    desk.card(0).get_by_label("Model of this row").select_option(label="The hero (LoRA)")
    apart = """() => {
        const parts = [...(document.querySelector('.gs-bar')?.children ?? [])].filter((n) => n.offsetWidth);
        const inner = parts.flatMap((part) => [part, ...part.querySelectorAll('select, input')]);
        const boxes = inner.map((node) => [node, node.getBoundingClientRect()]);
        return boxes.length && boxes.every(([one, a]) => boxes.every(([other, b]) =>
            one.contains(other) || other.contains(one) || a.right <= b.left + 1
            || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1));
    }"""
    for width in (1440, 1280, 950, 720, 390):  # 950: a wide window at 200 %
        desk.page.set_viewport_size({"width": width, "height": 950})
        desk.says("tokens in the longest of 3 parts", ".gs-tokens")
        desk.page.wait_for_function(apart)
        desk.page.wait_for_function(
            "(n => n.scrollWidth <= n.clientWidth + 1)(document.querySelector('.gs-tokens'))"
        )
    desk.page.set_viewport_size({"width": 1440, "height": 950})


def test_every_unknown_word_is_counted(desk: Studio) -> None:
    desk.use(["quux corge grault garply waldo fred plugh xyzzy <lora:x:1>"])
    card = desk.card(0)
    expect(card.locator(".gs-marks u")).to_have_count(8)  # the other tool's syntax has its own hint
    desk.says("2 more underlined words are not known.", ".gs-unknown")
    desk.says("choose the LoRA in the row's model list", ".gs-prompt-hints")


def test_unknown_words_are_underlined_with_the_nearest_ones_to_click(desk: Studio) -> None:
    desk.use(["a castle astronaut on the moon"])
    card = desk.card(0)
    expect(card.locator(".gs-marks u")).to_have_text(["castle"])
    card.get_by_role("button", name="Write house for castle").click()
    assert desk.rows()[0]["prompt"] == "a house astronaut on the moon"
    said = card.locator(".gs-unknown p")
    expect(said).to_contain_text("“house” and “astronaut”: this base draws one thing")
    expect(said).to_have_count(1)
    expect(card.locator(".gs-tokens")).to_contain_text("6 of 30 tokens")
    card.get_by_role("button", name="Known words").click()
    card.get_by_text("Styles (4)").click()
    card.get_by_role("button", name="in flat style").click()
    assert desk.rows()[0]["prompt"].endswith("on the moon in flat style")


def test_a_prompt_reads_in_the_direction_of_its_own_script(desk: Studio) -> None:
    desk.use(["חתול על הירח", "a cat", "قطة"])
    for index, direction in enumerate(("rtl", "ltr", "rtl")):
        expect(desk.prompt(index)).to_have_css("direction", direction)


def test_a_field_grows_with_its_words_and_its_list_is_whole_among_many_rows(desk: Studio) -> None:
    desk.use(["a cat"])
    desk.page.evaluate("() => { for (let n = 0; n < 30; n += 1) studio.stack.add({ prompt: '' }) }")
    expect(desk.page.locator(".gs-card")).to_have_count(31)
    prompt, keys = desk.prompt(15), desk.page.keyboard
    one = prompt.bounding_box()["height"]
    prompt.fill("a cat\n\n")

    def grown() -> None:
        assert one * 2 < prompt.bounding_box()["height"] < one * 3.1  # the last line is empty

    eventually(grown)
    prompt.fill("a cat face in flat style " * 40)
    eventually(lambda: _is(prompt.bounding_box()["height"], 160))
    prompt.fill("")
    eventually(lambda: _is(prompt.bounding_box()["height"], one))
    prompt.click()
    keys.type("a sungl")
    offered = desk.page.get_by_role("listbox").get_by_role("option")
    expect(offered).to_have_text(["sunglasses face", "sunglasses"])
    offered.last.click()  # nothing lies over it, and the card's edge cuts nothing off
    assert desk.rows()[15]["prompt"] == "a sunglasses"
    desk.page.evaluate("studio.stack.removeAll([...studio.stack.cards])")


def _is(height: float, wanted: float) -> None:
    assert abs(height - wanted) < 2


def test_a_lora_or_a_learned_word_that_a_prompt_calls_is_taken_by_a_press(desk: Studio) -> None:
    desk.use(["a cat <lora:lora-hero:0.8>, at night"])
    hints = desk.card(0).locator(".gs-prompt-hints")
    expect(hints).to_contain_text("“<lora:lora-hero:0.8>” names The hero (LoRA)")
    hints.get_by_role("button", name="Use it in this row").click()
    expect(desk.prompt(0)).to_have_value("a cat, at night")
    assert desk.rows()[0]["model"] == {"lora": "starter/lora-hero", "strength": 0.8}
    expect(hints).to_be_empty()
    desk.prompt(0).fill("<hero> runs, <lora:nobody:1>")
    expect(hints).to_contain_text("“<lora:nobody:1>” names no LoRA that is here for this base.")
    hints.get_by_role("button", name="Use it in this row").click()
    assert desk.rows()[0]["model"]["embeddings"] == ["starter/word-hero"]
    desk.press(0, "Delete row")


def test_ctrl_enter_keeps_the_choices_and_starts_no_run(desk: Studio, home: Path) -> None:
    (home / "wildcards").mkdir(exist_ok=True)
    (home / "wildcards" / "shoe.txt").write_text("boot\n")
    page = desk.page
    desk.use(["a __shoe__"])
    before = desk.moments()
    page.get_by_role("button", name="Choices of __shoe__").click()
    page.locator(".gs-wildcard textarea").fill("clog")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".gs-wildcard")).to_have_count(0)
    assert (home / "wildcards" / "shoe.txt").read_text() == "clog\n"
    page.wait_for_timeout(600)  # in which a run would have begun
    assert desk.moments() == before
    expect(page.locator('#gs-progress .gs-progress[data-state="running"]')).to_have_count(0)
    shutil.rmtree(home / "wildcards")
