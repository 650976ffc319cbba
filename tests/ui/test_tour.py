"""The tour's steps: presets that ship, and that need nothing else."""

from __future__ import annotations

import pytest

from studio.plan.stated import stated_plan
from studio.ui.library.models import library
from studio.ui.presets import gallery
from studio.ui.space import SPACE
from studio.ui.tour import END, STEPS, Step
from tests.support.studio_page import needs_starter


def test_there_are_six_of_a_sentence_each() -> None:
    assert len(STEPS) == 6 and len({step.preset for step in STEPS}) == 6
    assert all(step.text.endswith(".") and step.text.count(". ") == 0 for step in STEPS)


def test_the_end_promises_no_more_than_the_steps_show() -> None:
    shown = " ".join(f"{step.title} {step.text}" for step in STEPS)
    for named in ("row", "ω", "Decoupling", "Masks", "Train"):
        assert named in shown and named.lower() in END
    assert "everything" not in END


@needs_starter
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.preset)
def test_a_step_runs_with_what_ships_on_a_shared_page_too(step: Step) -> None:
    preset = gallery.pick(SPACE, f"starter:{step.preset}")
    SPACE.check(preset)
    plan = stated_plan(preset, library())
    assert all(item.weights.model.startswith("starter") for item in plan.passes)
    assert step.action in ("generate", "strip", "train")
    if step.action != "generate":  # something learned is what ω and training are about
        assert any(item.weights.loras for item in plan.passes)
