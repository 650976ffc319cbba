"""What a search for ω is about: pictures that differ, and the same ones however many are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.home import ASSETS
from studio.preset import validate
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.tradeoff.panel import follow
from studio.ui.tradeoff.subject import Subject, subject_of
from studio.ui.tradeoff.tuner import Tuner, searched
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


@needs_starter
def test_a_search_stays_the_same_one_when_more_images_are_asked_for(studio_home: Path) -> None:
    """It makes one picture of each seed, so that what it has found is gone on with."""
    row = {"prompt": "a hero", "weight": 4.0, "model": {"lora": "starter/lora-hero"}}
    found = Subject(0, "starter/lora-hero", (ASSETS / "examples" / "cat.png",))
    folders = {
        searched(validate({"rows": [row], "sampler": {"count": count}}), found, 12, False)[0].out
        for count in (1, 3)
    }
    assert len(folders) == 1


@needs_starter
def test_all_pictures_that_cannot_be_read_are_named_at_once(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    files = [tmp_path / name for name in ("text.png", "cat.png", "empty.png")]
    for file, content in zip(
        files, (b"a text", (ASSETS / "examples" / "cat.png").read_bytes(), b""), strict=True
    ):
        file.write_bytes(content)
    given = [{"path": str(file), "meta": {"_type": "gradio.FileData"}} for file in files]
    preset = validate({"rows": [{"prompt": "a hero", "model": {"lora": "starter/lora-hero"}}]})
    with pytest.raises(StudioError, match=r"^text\.png: is not a .* · empty\.png: is empty$"):
        subject_of(preset, given)
