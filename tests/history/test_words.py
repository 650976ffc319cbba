"""What a search may hold besides words: seeds, names of files, and what must not be there."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from studio.history import History, Query
from studio.history.intake import take_in
from studio.history.words import scheduler_of
from studio.preset import Preset, Row, Sampler
from studio.preset.schedulers import SCHEDULERS
from studio.share import save_image

PROMPTS = ("a cat on the moon", "a dog", "猫が好き", "a catalogue of moons")


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    for seed, prompt in enumerate(PROMPTS):
        rows = (Row(prompt=prompt, weight=5.0),)
        scheduler = "euler" if seed < 2 else "ddim"
        sampler = Sampler(seed=seed, scheduler=scheduler)
        preset = Preset(name=prompt, rows=rows, sampler=sampler)
        save_image(Image.new("RGB", (8, 8)), preset, tmp_path / "outputs")
    return tmp_path / "outputs"


def found(history: History, text: str) -> set[int]:
    return {PROMPTS.index(one.prompts) for one in history.search(Query(text=text)).records}


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("cat -catalogue", {0}),
        ("-cat", {1, 2}),
        ('-"cat"', {1, 2}),
        ("\u2212\u201ecat\u201d", {1, 2}),
        ('-"猫"', {0, 1, 3}),
        ("--cat", {0, 3}),
        ("\u2212moon -好き", {1}),
        ("- cat", {0, 3}),
        ("seed:2", {2}),
        ("2", {2}),
        ("-seed:2 -3", {0, 1}),
        ("seed:18446744073709551616", set()),
        ("scheduler:Euler", {0, 1}),
        ("cat -scheduler:euler", {3}),
        ("scheduler:eul", set()),
        ('"the moon"', {0}),
        ('"the mo', {0}),
        ('"moon the"', set()),
        ('"on the mo" cat', {0}),
        ('-"a dog" -\u201ca catalogue\u201d', {0, 2}),
        ('scheduler:"Euler" "a  cat"', {0}),
        ('"-cat"', {0, 3}),  # what is in quotes is text
        ('"steps:25" OR "a dog"', {1}),
        ('"2"', set()),
        ('steps:"25" seed:"3"', {3}),
        ("prompt:cat -prompt:moons", {0}),
        ('title:"a dog"', {1}),
        ("prompt:猫", {2}),
        ("model:starter dog", {1}),
        ("model:cat", set()),
        ("steps:25 cat", {0, 3}),
        ("steps:24", set()),
        ("-steps:25", set()),
        ("cat OR dog", {0, 1, 3}),
        ("dog OR catalogue OR 猫", {1, 2, 3}),
        ("moons OR dog a", {1, 3}),
        ("moon cat OR dog", {0, 3}),
        ("cat or dog", set()),
        ("-cat OR catalogue", {1, 2, 3}),
        ('"a dog" OR seed:0', {0, 1}),
        ("dog OR", {1}),
        ("OR dog", {1}),
        ("OR", set()),
        ("OR OR", set()),
        ("dog OR !!", {1}),
        ("size:8x8 dog", {1}),
        ("size:8×9", set()),
        ("-size:8X8", set()),
        ("size:8", set()),
        ("sampler:ddim", {2, 3}),
        ("lora:starter cat", {0, 3}),
        ("board:x", set()),
        ("note:", set()),
    ],
)
def test_seeds_and_what_must_not_be_there(history: History, text: str, hit: set[int]) -> None:
    assert found(history, text) == hit


def test_a_scheduler_s_pictures_are_listed_and_found(history: History) -> None:
    assert dict(history.names("schedulers")) == {"euler": 2, "ddim": 2}
    some = history.search(Query(scheduler="ddim", text="cat")).records
    assert {one.prompts for one in some} == {PROMPTS[3]}


def test_a_scheduler_is_searched_by_name_and_by_the_title_that_is_shown(history: History) -> None:
    assert SCHEDULERS["dpm++_2m_sde"].title == "DPM-Solver++ 2M SDE"
    for called in ("dpm++_2m_sde", "DPM++_2M_SDE", "DPM-Solver++ 2M SDE", "dpm-solver++2msde"):
        assert scheduler_of(called) == "dpm++_2m_sde"
    assert scheduler_of("of-a-plugin") == "of-a-plugin" and scheduler_of("") == ""
    # None of them is called as another is.
    calls = [(name, one) for name, kind in SCHEDULERS.items() for one in (name, kind.title)]
    assert [scheduler_of(one) for _, one in calls] == [name for name, _ in calls]
    for called in ("DDIM", "ddim"):
        assert history.search(Query(scheduler=called)).total == 2
    assert found(history, "scheduler:DDIM") == {2, 3}


def test_a_picture_is_found_by_its_file(history: History, outputs: Path) -> None:
    """A path or a name that was written down, whole or in part; its stem as people copy it."""
    path = next(file for file in outputs.iterdir() if "catalogue" in file.name)
    for text in (path.name, str(path), path.stem.upper(), path.name[:22], f"moons {path.name}"):
        assert found(history, text) == {3}, text
    assert not found(history, path.name.replace("-", "_"))
    assert not found(history, "/nowhere/1234567/")
    assert found(history, f"-{path.name}") == {0, 1, 2}


def test_what_is_said_of_a_picture_is_found_where_it_is_said(history: History) -> None:
    ids = {one.prompts: one.id for one in history.search(Query()).records}
    history.mark([ids["a dog"]], board="Red 100%", tags=["two words"], note="cat food")
    for text in ("board:red", 'board:"red 100%"', "tag:two", 'tag:"two words"', "note:food"):
        assert found(history, text) == {1}, text
    for text in ("board:100", "board:%", "tag:food", "prompt:food", "note:dog"):
        assert found(history, text) == set(), text
    assert found(history, "cat -note:cat") == {0, 3}


def test_pictures_are_found_by_their_folder(history: History, outputs: Path) -> None:
    folder = outputs / "my favourites" / "May"
    folder.mkdir(parents=True)
    for number, file in enumerate(sorted(outputs.glob("*.png"))[:2]):
        file.rename(folder / f"{number}.png")
    take_in(history)
    moved = found(history, "folder:may")
    assert len(moved) == 2 and found(history, "-folder:may") == set(range(4)) - moved
    for text in ('folder:"my fav"', "folder:My", "FOLDER:may/"):
        assert found(history, text) == moved, text
    for text in ("folder:favourites", "folder:0", "folder:%", 'folder:"my favourites/May/1"'):
        assert found(history, text) == set(), text
