"""Fields of the form that no network of the base's family reads."""

from __future__ import annotations

import pytest

pytest.importorskip("gradio")

from studio.ui import describe
from studio.ui.space import Limits
from tests.support.fake_engine import values


def test_a_field_that_no_network_of_the_base_reads_is_shown_where_it_is_set() -> None:
    """Also beside a mistake elsewhere; and for a base of which nothing is known yet."""
    name, wrong = "distilled_guidance", {"sampler": {"width": 130}}
    assert describe.describe(Limits(), **values(**wrong))[1] == {name: None}
    assert name not in describe.describe(Limits(), **values(base="owner/unknown"))[1]
    _, idle, fault = describe.describe(Limits(), **values(distilled_guidance=0.0))
    assert name not in idle and fault["field"] == name and "reads none" in fault["text"]
