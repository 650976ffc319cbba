"""Scores of the page's pictures: which, when, and that they are kept with the picture."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from PIL import Image

from studio.errors import StudioError
from studio.events import Done
from studio.history import Query, history
from studio.history.record import record_of
from studio.home import ASSETS
from studio.metrics import Scored, measure, present
from studio.outputs import outputs_folder
from studio.preset import Preset, validate
from studio.share import save_image
from studio.ui.history.moments import Moment
from studio.ui.runs import Runs
from studio.ui.scores.scorer import Scorer
from studio.ui.space import Limits
from tests.support.fake_engine import FakeEngine
from tests.support.studio_page import needs_starter

HERO = ASSETS / "examples" / "training" / "hero-1.png"


def _moment(preset: Preset, picture: Path = HERO) -> Moment:
    image = Image.open(picture).convert("RGB")
    path = save_image(image, preset, outputs_folder())
    history().made(record_of(path, path.name))
    return Moment.made(path, Done(image, 0, preset, 1))


@needs_starter
def test_a_picture_is_scored_and_its_scores_are_kept(studio_home: Path) -> None:
    row = {"prompt": "a hero in flat style", "model": {"lora": "starter/lora-hero"}}
    preset = validate({"rows": [row], "name": "x"})
    scorer = Scorer(Runs(FakeEngine(), Limits()))
    moment = _moment(preset)
    assert scorer.known(history(), moment) == {}
    found = scorer.score(history(), moment)
    assert set(found) == {"clip-t", "clip-i", "judge-attributes"}
    references = sorted(HERO.parent.glob("hero-*.png"))
    scored = Scored([HERO], ["a hero in flat style"], [], references)
    for name, value in found.items():
        assert value == pytest.approx(measure(name, scored)[0].mean, abs=1e-4), name
    assert scorer.known(history(), moment) == found
    other = _moment(preset, ASSETS / "examples" / "cat.png")
    worse = scorer.score(history(), other)
    assert worse["clip-i"] < found["clip-i"]
    order = [one.path for one in history().search(Query(sort="score:clip-i")).records]
    assert order == [Path(moment.path).name, Path(other.path).name]


@needs_starter
def test_a_score_is_there_where_nothing_of_it_can_be_kept(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = _moment(validate({"rows": [{"prompt": "a hero in flat style"}], "name": "x"}))
    (studio_home / "cache").write_text("no folder: nothing is written below it")

    def full(*_: object, **__: object) -> None:
        raise StudioError("cannot be written (database or disk is full)", field="studio.db")

    monkeypatch.setattr(history(), "mark", full)
    scorer = Scorer(Runs(FakeEngine(), Limits()))
    found = scorer.score(history(), moment)
    assert set(found) == {"clip-t", "judge-attributes"}
    assert scorer.known(history(), moment) == found  # and is not made again at the next look


@needs_starter
def test_without_a_network_or_a_prompt_there_is_no_score(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = Scorer(Runs(FakeEngine(), Limits()))
    concept = validate({"rows": [{"model": "starter/faces", "weight": 2.0}]})
    assert scorer.score(history(), _moment(concept)) == {}
    monkeypatch.setattr(present, "_is_here", lambda name: False)
    photo = validate({"base": "some/sd15", "rows": [{"prompt": "a cat"}]})
    assert scorer.score(history(), _moment(photo)) == {}
    assert not scorer._networks or list(scorer._networks) == ["starter/clip"]


@needs_starter
def test_a_score_waits_until_nothing_is_being_made(studio_home: Path) -> None:
    engine = FakeEngine(pause=0.15)
    runs = Runs(engine, Limits())
    scorer = Scorer(runs)
    moment = _moment(validate({"rows": [{"prompt": "a cat face"}]}))
    run = runs.submit(runs.session("s"), validate({"rows": [{"prompt": "a"}]}))
    seen: list[bool] = []

    def scoring() -> None:
        if scorer.score(history(), moment):
            seen.append(run.active())

    thread = threading.Thread(target=scoring)
    thread.start()
    thread.join(60)
    assert seen == [False] and engine.closed == 1


def test_a_picture_that_is_gone_has_no_score(studio_home: Path, tmp_path: Path) -> None:
    scorer = Scorer(Runs(FakeEngine(), Limits()))
    gone = tmp_path / "gone.png"
    shutil.copyfile(HERO, gone)
    moment = Moment("x", str(gone), "x", "", validate({"rows": []}).to_json())
    assert scorer.known(history(), moment) == {}
