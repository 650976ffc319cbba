"""What all events of the page have in common."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("gradio")

from studio.ui.page import build
from studio.ui.space import SPACE, Limits


@pytest.mark.parametrize("limits", [Limits(), SPACE], ids=["own", "shared"])
def test_no_event_of_the_page_tells_its_outputs_how_far_it_is(limits: Limits) -> None:
    """Gradio's script copies the state of each component that is told, at every step of every
    event and for as long as the page is open: seconds of a page that opens."""
    config: dict[str, Any] = {**build(limits).config}
    events = [one for one in config["dependencies"] if one["backend_fn"]]
    used = [one for one in events if one["targets"]]  # the others are for programs alone
    assert len(used) > 20
    told = [one["api_name"] for one in used if one["show_progress_on"] != []]
    assert not told
    assert {one["show_progress"] for one in used} == {"hidden"}
