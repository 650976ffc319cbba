"""Fields of the form that change nothing at present, or that no network of the base reads."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.ui import describe
from studio.ui.idle import IDLE_REASONS
from studio.ui.space import Limits
from tests.support.fake_engine import values


def test_a_field_that_no_network_of_the_base_reads_is_shown_where_it_is_set() -> None:
    """Also beside a mistake elsewhere; and for a base of which nothing is known yet."""
    name, wrong = "distilled_guidance", {"sampler": {"width": 130}}
    assert describe.describe(Limits(), **values(**wrong))[1][name] is None
    assert name not in describe.describe(Limits(), **values(base="owner/unknown"))[1]
    _, idle, fault = describe.describe(Limits(), **values(distilled_guidance=0.0))
    assert name not in idle and fault["field"] == name and "reads none" in fault["text"]


def test_what_only_a_second_pass_reads_is_shown_where_there_is_one_or_where_it_is_set() -> None:
    names = {f"second_pass_{one}" for one in ("strength", "steps", "enlarge", "tiles")}
    _, idle, _ = describe.describe(Limits(), **values())
    assert {name for name in names if idle[name] is None} == names
    _, idle, _ = describe.describe(Limits(), **values(second_pass={"scale": 2.0}))
    assert not names & idle.keys()
    _, idle, _ = describe.describe(Limits(), **values(second_pass={"strength": 0.9}))
    assert "no second pass" in str(idle["second_pass_strength"])
    assert idle["second_pass_tiles"] is None


def test_a_second_pass_is_part_of_the_stated_cost() -> None:
    shown, _, _ = describe.describe(Limits(), **values(second_pass={"scale": 2.0}))
    assert "<b>85</b> in all, 20 of them in the second pass" in shown


def test_a_page_s_largest_picture_bounds_the_second_pass() -> None:
    again = {"second_pass": {"scale": 8.0}}
    _, _, fault = describe.describe(Limits(edge=768), **values(**again))
    assert fault["field"] == "second_pass.scale" and "is over 768 pixels" in fault["text"]
    many = {"second_pass": {"scale": 2.0, "steps": 60}}
    assert describe.describe(Limits(steps=50), **values(**many))[2]["field"] == "second_pass.steps"
    given = {**again, "sampler": {"width": 64, "height": 96}}
    assert describe.describe(Limits(edge=768), **values(**given))[2] == describe.NO_FAULT


@pytest.mark.parametrize(
    "wrong", [{"sampler": {"width": 130}}, {"init": {"image": "inputs/lost.png"}}, {"vae": "none"}]
)
def test_what_changes_nothing_says_so_beside_a_mistake_elsewhere(wrong: dict[str, Any]) -> None:
    _, idle, fault = describe.describe(Limits(), **values(**wrong))
    assert fault["text"] and idle.items() >= IDLE_REASONS.items()
    lora = {"prompt": "a", "model": {"lora": "starter/lora-hero"}}
    assert "omega" not in describe.describe(Limits(), **values(rows=[lora], **wrong))[1]


def test_of_a_form_that_is_none_it_is_decided_by_rows_and_base() -> None:
    typed = {**values(), "height": "tall"}
    assert describe.describe(Limits(), **typed)[1].items() >= IDLE_REASONS.items()
    unknown = {**typed, "rows": [{"prompt": "a", "weight": "much"}]}  # nothing is known of these
    assert not describe.describe(Limits(), **unknown)[1].keys() & IDLE_REASONS.keys()


def test_what_only_a_detail_reads_is_shown_where_parts_are_made_again_or_where_it_is_set() -> None:
    names = {f"detail_{one}" for one in ("prompt", "strength", "most", "grow", "padding")}
    by_words = {"detail_words", "detail_confidence"}
    _, idle, _ = describe.describe(Limits(), **values())
    assert {name for name in names | by_words if idle[name] is None} == names | by_words
    _, idle, _ = describe.describe(Limits(), **values(detail={"finder": "faces"}))
    assert not names & idle.keys() and {n for n in by_words if idle[n] is None} == by_words
    words = {"finder": "words", "words": "face"}
    _, idle, _ = describe.describe(Limits(), **values(detail=words))
    assert not (names | by_words) & idle.keys()
    _, idle, _ = describe.describe(Limits(), **values(detail={"strength": 0.9}))
    assert "no part is made again" in str(idle["detail_strength"])


def test_a_detail_states_what_each_part_costs() -> None:
    shown, _, _ = describe.describe(Limits(), **values(detail={"finder": "faces"}))
    assert "in all · 20 more for each part that is found" in shown
    words = {"finder": "words", "words": "face"}
    shown, _, _ = describe.describe(Limits(), **values(detail=words))
    assert "needs the weights CIDAS/clipseg-rd64-refined from the hub" in shown


def test_rounds_are_part_of_the_stated_cost_and_of_a_page_s_limits() -> None:
    start = {"image": "assets/examples/cat.png", "strength": 0.5, "loops": 3}
    shown, _, fault = describe.describe(Limits(), **values(init=start))
    assert "× 3 rounds" in shown and fault == describe.NO_FAULT
    once, _, _ = describe.describe(Limits(), **values(init={**start, "loops": 1}))
    totals = [int(text.split("<b>")[-1].split("</b> in all")[0]) for text in (once, shown)]
    assert totals[1] == 3 * totals[0] and "round" not in once
    _, _, fault = describe.describe(Limits(loops=2), **values(init=start))
    assert fault["field"] == "init.loops" and "at most 2 on this page" in fault["text"]


def test_freeu_s_factors_are_shown_where_it_is_on_or_where_they_are_set() -> None:
    names = {f"freeu_{one}" for one in ("b1", "b2", "s1", "s2")}
    idle = describe.describe(Limits(), **values())[1]
    assert {name for name in names if idle[name] is None} == names and "freeu_on" not in idle
    assert not names & describe.describe(Limits(), **values(freeu={"on": True}))[1].keys()
    idle = describe.describe(Limits(), **values(freeu={"b1": 1.1}))[1]
    assert "FreeU is off" in str(idle["freeu_b1"]) and idle["freeu_s1"] is None


def test_what_a_later_pass_s_prompt_takes_for_plain_words_is_said_with_the_plan() -> None:
    rows = [{"prompt": "a cat <lora:mine:1>"}]
    second = {"scale": 2.0, "prompt": "a fox <lora:mine:1>"}
    shown, _, _ = describe.describe(Limits(), **values(rows=rows, second_pass=second))
    assert shown.count("is read as plain words") == 1  # the row's stands under it
    assert "Second pass, prompt: &lt;lora:…&gt; is read as plain words" in shown
