"""No search for ω begins where ω changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.home import ASSETS
from studio.preset import validate
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.tradeoff.panel import follow
from studio.ui.tradeoff.subject import Subject
from studio.ui.tradeoff.tuner import Tuner
from tests.support.fake_engine import FakeEngine
from tests.support.studio_page import needs_starter


@needs_starter
@pytest.mark.parametrize(
    ("lora", "weights"), [("starter/food", (1.0, 4.0)), ("starter/lora-hero", (0.5, 0.5))]
)
def test_no_search_begins_where_its_pictures_would_be_the_same(
    studio_home: Path, lora: str, weights: tuple[float, float]
) -> None:
    """With a concept's LoRA, or without an unconditional pass, unless the weight is varied too."""
    rows = [
        {"prompt": "a cat face", "weight": weights[0]},
        {"prompt": "a hero", "weight": weights[1], "model": {"lora": lora}},
    ]
    preset, tuner = validate({"rows": rows, "omega": 0.7}), Tuner(Runs(FakeEngine(), Limits()))
    found = Subject(1, lora, (ASSETS / "examples" / "cat.png",))
    with pytest.raises(
        StudioError,
        match=r"omega: Changes nothing now: (no row .* of the base|the weights sum to 1)",
    ):
        tuner.start(preset, found, 12, weight=False)
    tuner.start(preset, found, 12, weight=True)
    tuner.stop()
    for _ in follow(tuner):
        pass
