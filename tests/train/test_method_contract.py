"""What every training method of the table must do, those of packages included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from studio.__main__ import build_parser
from studio.library import Library
from studio.train import train
from studio.train.checks import unread
from studio.train.config import TrainConfig, defaults
from studio.train.events import Note, Samples, TrainProgress
from studio.train.method import METHODS, methods_on, ordered, personal
from tests.support import REPOSITORY, train_tiny
from tests.train import toy_method

OWN = tuple(METHODS)
LOSSES = {
    "plain": {},
    "ddloss": {"ddloss": 0.1},
    "pdloss": {"pdloss": 0.05},
    "prior": {"prior_weight": 1.0, "class_count": 2},
}
CASES = [
    (method, loss)
    for method in (*OWN, "biases")
    for loss in LOSSES
    if loss == "plain" or method not in METHODS or not METHODS[method].without_text
    if loss != "prior" or method not in METHODS or "prior_weight" in METHODS[method].losses
]


@pytest.fixture
def folder(studio_home: Path, tmp_path: Path) -> Path:
    train_tiny.base(studio_home)
    return train_tiny.pictures(tmp_path / "pictures")


@pytest.fixture(autouse=True)
def toy() -> Iterator[None]:
    toy_method.register()
    yield
    METHODS.remove("biases")


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {
        f"{path.relative_to(folder)}/{key}": value
        for path in sorted(folder.rglob("*.safetensors"))
        for key, value in load_file(path).items()
    }


@pytest.mark.parametrize("method, loss", CASES)
def test_resumed_is_unbroken_to_the_bit_and_the_result_is_a_row(
    folder: Path, method: str, loss: str
) -> None:
    options = {**LOSSES[loss], "steps": 3, "ema": 0.5}
    shown = {"sample_every": 3, "sample_steps": 1} if loss == "plain" else {}
    events = train_tiny.run(train_tiny.config(folder, method, name="whole", **options, **shown))
    made = [event for event in events if isinstance(event, Samples)]  # the engine ran it as a row
    assert [len(e.images) for e in made] == ([1] if shown else []), events
    halves = train_tiny.config(folder, method, name="halves", **options)
    running = train(halves, device="cpu")
    first = []
    for event in running:
        first.append(event)
        if isinstance(event, TrainProgress) and event.step == 1:
            break
    running.close()
    rest = train_tiny.run(halves, resume=True)
    together = train_tiny.losses_of(first) + train_tiny.losses_of(rest)
    assert together == train_tiny.losses_of(events) and len(together) == 3
    one, other = (tensors(train_tiny.result_of(e)) for e in (events, rest))
    assert one and one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert Library()["halves"].kind == METHODS[method].kind and not Library()["halves"].problem


@pytest.mark.parametrize("method", [*OWN, "biases"])
def test_a_record_is_whole(method: str) -> None:
    record = METHODS[method]
    fields = set(TrainConfig.model_fields)
    assert record.title and record.trains and record.files
    assert {*record.settings, *record.losses, *record.defaults, *record.small} <= fields
    assert bool(record.without_text) == (method not in personal())
    for small in (False, True):  # its defaults are settings that it reads
        assert all(record.reads(name) for name in defaults(method, small)), method
    if record.reads_pictures or "pdloss" in record.losses:
        assert record.learns_word


def test_a_method_from_outside_is_a_choice_on_the_page_and_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture
) -> None:
    from studio.ui.train import defaults, tab

    assert ("Biases", "biases") in tab.choices_of(defaults.methods("tiny"))
    assert defaults.chosen_by_default("biases", small=True)["rate"] == 1e-3
    with pytest.raises(SystemExit):
        build_parser().parse_args(["train", "personalize", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "biases: the biases of the network" in shown
    for name in personal():
        words = METHODS[name].trains.replace("`", "").split()
        assert f"{name}: {' '.join(words)}"[:60].replace(" ", "") in shown.replace(" ", "")
    lines = (REPOSITORY / "tests" / "train" / "toy_method.py").read_text().splitlines()
    assert len(lines) <= 40 and "biases" in methods_on("sd1")


def test_the_docs_table_is_the_methods() -> None:
    text = (REPOSITORY / "docs" / "training.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w+-]+)` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    own = [(n, m.trains, m.files) for n, m in ordered() if n in OWN and not m.without_text]
    assert rows[0][0] == "--method" and rows[1:] == own


def test_a_setting_that_a_method_does_not_read_is_named(folder: Path) -> None:
    config = train_tiny.config(folder, "dreambooth", steps=1, rank=7, vectors=3)
    assert unread(config) == ["rank", "vectors"]
    assert Note("dreambooth does not read rank, vectors") in train_tiny.run(config)
    assert unread(train_tiny.config(folder, "lora+ti", steps=1, rank=7, vectors=3)) == []
