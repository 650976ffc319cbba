"""Fields of the form that change nothing at present, or that no network of the base reads."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.ui import describe
from studio.ui.space import Limits
from tests.support.fake_engine import values


def test_a_field_that_no_network_of_the_base_reads_is_shown_where_it_is_set() -> None:
    """Also beside a mistake elsewhere; and for a base of which nothing is known yet."""
    name, wrong = "distilled_guidance", {"sampler": {"width": 130}}
    assert describe.describe(Limits(), **values(**wrong))[1][name] is None
    assert name not in describe.describe(Limits(), **values(base="owner/unknown"))[1]
    _, idle, fault = describe.describe(Limits(), **values(distilled_guidance=0.0))
    assert name not in idle and fault["field"] == name and "reads none" in fault["text"]


@pytest.mark.parametrize(
    "wrong", [{"sampler": {"width": 130}}, {"init": {"image": "inputs/lost.png"}}, {"vae": "none"}]
)
def test_what_changes_nothing_says_so_beside_a_mistake_elsewhere(wrong: dict[str, Any]) -> None:
    _, idle, fault = describe.describe(Limits(), **values(**wrong))
    assert fault["text"] and idle.items() >= describe.IDLE_REASONS.items()
    lora = {"prompt": "a", "model": {"lora": "starter/lora-hero"}}
    assert "omega" not in describe.describe(Limits(), **values(rows=[lora], **wrong))[1]


def test_of_a_form_that_is_none_it_is_decided_by_rows_and_base() -> None:
    typed = {**values(), "height": "tall"}
    assert describe.describe(Limits(), **typed)[1].items() >= describe.IDLE_REASONS.items()
    unknown = {**typed, "rows": [{"prompt": "a", "weight": "much"}]}  # nothing is known of these
    assert not describe.describe(Limits(), **unknown)[1].keys() & describe.IDLE_REASONS.keys()
