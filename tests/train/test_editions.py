"""A base that gets other weights: what was trained on the earlier ones says so, and goes on with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import MissingModel
from studio.home import training_folder
from studio.library import Library
from studio.plan import compile_plan
from studio.preset import validate
from studio.train import train
from studio.train.events import Losses, Note
from tests.support import tiny, train_tiny


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


def renew(home: Path, kept: bool = True) -> None:
    """``tiny`` gets other weights as its second edition; the first stays as ``tiny-1``."""
    models = home / "models"
    if kept:
        (models / "tiny").rename(models / "tiny-1")
    tiny.pipeline(models / "tiny", seed=7)
    (models / "tiny" / "card.json").write_text(json.dumps({"edition": 2}))


def notes(base: str, model: str) -> list[str]:
    rows = [{"prompt": "a ghost", "model": {"lora": model}, "weight": 3.0}]
    plan = compile_plan(validate({"base": base, "rows": rows}), Library().catalogue())
    return [note for note in plan.notes if "edition" in note]


def test_a_plan_names_what_was_trained_on_an_earlier_edition(
    folder: Path, studio_home: Path
) -> None:
    train_tiny.run(train_tiny.config(folder))
    assert notes("tiny", "mine") == []
    renew(studio_home)
    train_tiny.run(train_tiny.config(folder, name="newer"))
    assert Library()["mine"].edition == 1 and Library()["newer"].edition == 2
    (note,) = notes("tiny", "mine")
    assert note.startswith("mine was trained on edition 1 of tiny") and "tiny-1" in note
    assert notes("tiny", "newer") == [] and notes("tiny-1", "mine") == []


def test_a_plan_says_that_the_earlier_edition_is_not_here(folder: Path, studio_home: Path) -> None:
    train_tiny.run(train_tiny.config(folder))
    renew(studio_home, kept=False)
    (note,) = notes("tiny", "mine")
    assert note.endswith("the weights that it knows would be the base tiny-1, which is not here")


def test_what_lies_in_the_bases_own_folder_came_with_it(folder: Path, studio_home: Path) -> None:
    train_tiny.run(train_tiny.config(folder))
    renew(studio_home)
    (studio_home / "models" / "mine").rename(studio_home / "models" / "tiny" / "own")
    assert notes("tiny", "tiny/own") == []


def test_a_training_goes_on_with_the_edition_it_was_begun_on(
    folder: Path, studio_home: Path
) -> None:
    whole = train_tiny.result_of(train_tiny.run(train_tiny.config(folder, name="whole")))
    begin_and_stop(folder)
    renew(studio_home)
    events = train_tiny.run(train_tiny.config(folder), resume=True)
    told = [event.text for event in events if isinstance(event, Note)]
    assert any("begun on edition 1 of tiny; it goes on with tiny-1" in text for text in told)
    made = train_tiny.result_of(events)
    assert train_tiny.same(made, whole)  # the same weights as if nothing had come between
    card = json.loads((made / "card.json").read_text())
    assert (card["base"], card["edition"]) == ("tiny-1", 1)


def test_where_that_edition_is_gone_it_is_named(folder: Path, studio_home: Path) -> None:
    begin_and_stop(folder)
    renew(studio_home, kept=False)
    with pytest.raises(MissingModel, match=r"begun on edition 1 of tiny, .* tiny-1") as missing:
        train_tiny.run(train_tiny.config(folder), resume=True)
    assert (missing.value.field, missing.value.model) == ("base", "tiny-1")
    assert (training_folder("mine") / "checkpoint.pt").exists()


def begin_and_stop(folder: Path) -> None:
    """One step of a training, then a pause."""
    running = train(train_tiny.config(folder), device="cpu")
    next(event for event in running if isinstance(event, Losses))
    running.close()
