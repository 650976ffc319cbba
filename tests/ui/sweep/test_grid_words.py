"""What the labels of the page's grid say."""

from __future__ import annotations

from studio.preset.sweep import Axis
from studio.ui.sweep.grid_words import in_page_words


def test_axes_and_values_are_called_as_on_the_page() -> None:
    schedulers = Axis("sampler.scheduler", ("euler_a", "dpm++"))
    assert in_page_words(schedulers) == ("Scheduler", ["Euler ancestral", "DPM-Solver++ 2M"])
    assert in_page_words(Axis("prompts", ("cat", "dog"))) == ("Prompt S/R", ["cat", "dog"])
    assert in_page_words(Axis("cfg", (5, 7.5))) == ("CFG scale", ["5", "7.5"])
    assert in_page_words(Axis("sampler.seed", (8,))) == ("Seed", ["8"])
    assert in_page_words(Axis("rows.0.weight", (-1,))) == ("row 1, weight", ["-1"])
    assert in_page_words(Axis("style", ("", "ink"))) == ("Style", ["none", "ink"])
    assert in_page_words(Axis("base", ("starter",))) == ("Base model", ["starter"])
