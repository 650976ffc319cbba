"""The Sweep tab as somebody writes who comes from an X/Y/Z plot."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.support.studio_page import Studio, expect, needs_starter

pytestmark = [pytest.mark.browser, needs_starter]


def test_random_seeds_are_the_same_along_a_line_and_are_named(desk: Studio, tmp_path: Path) -> None:
    page = desk.page
    desk.use(["a cat face"], steps=1)
    desk.tab("Sweep")
    page.get_by_role("button", name="Vary a field").click()
    page.get_by_label("Across: the field").select_option("Prompt S/R (search and replace)")
    page.get_by_label("Across: values of Prompt S/R").fill("cat, dog")
    page.get_by_role("button", name="Vary a field").click()
    page.get_by_label("Down: the field").select_option("sampler.seed")
    seeds = page.get_by_label("Down: values of Seed")
    seeds.fill("-1, -1")
    desk.says("4 pictures (2 × 2)", ".gs-sweep-cost")
    page.click(".gs-sweep-start")
    desk.says("4 pictures.", ".gs-sweep-status")
    first, second = (int(one) for one in seeds.input_value().split(","))
    assert first >= 0 and second >= 0 and first != second
    expect(page.locator(".gs-sweep").get_by_text(str(first), exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "sweep.csv")
    with (tmp_path / "sweep.csv").open(newline="", encoding="utf-8") as file:
        made = [(line["sampler.seed"], line["seed"]) for line in csv.DictReader(file)]
    assert made == [(str(one), str(one)) for one in (first, first, second, second)]


def test_fields_are_swapped_with_their_values(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat face"], steps=1)
    desk.tab("Sweep")
    page.evaluate(
        "studio.axes.replace([]); studio.axes.add('omega', '0,1'); studio.axes.add('sampler.steps', '1-3')"
    )
    page.get_by_role("button", name="Swap Steps with the field before").click()
    expect(page.get_by_label("Across: values of Steps")).to_have_value("1-3")
    expect(page.get_by_label("Down: values of ω")).to_have_value("0,1")
    desk.says("6 pictures (3 × 2)", ".gs-sweep-cost")
    expect(page.get_by_role("button", name="with the field before")).to_have_count(1)


def test_a_prompt_that_turns_the_writing_leaves_what_stands_behind_it(desk: Studio) -> None:
    page = desk.page
    desk.use(["a cat face"], steps=1)
    desk.tab("Sweep")
    page.evaluate(
        "studio.axes.replace([]); studio.axes.add('omega', '0'); studio.axes.add('sampler.steps', '1');"
        "studio.axes.add('rows.0.prompt', 'a dog\\u202e x')"
    )
    desk.says("1 picture", ".gs-sweep-cost")
    page.click(".gs-sweep-start")
    caption = page.locator(".gs-sweep-table caption")
    expect(caption).to_contain_text("· ω × Steps")
    in_order = """(caption) => {
        const [, text, behind] = caption.childNodes;
        const place = document.createRange();
        const [from, to] = [behind.data.indexOf("ω"), behind.data.indexOf("Steps")];
        const left = (at) => (place.setStart(behind, at), place.setEnd(behind, at + 1),
            place.getBoundingClientRect().left);
        return text.getBoundingClientRect().right <= left(from) && left(from) < left(to);
    }"""
    assert caption.evaluate(in_order)
