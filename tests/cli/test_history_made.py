"""The verb history: pictures made larger, and side by side on one sheet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from studio.__main__ import main
from studio.cli import history_made
from studio.errors import StudioError
from studio.events import Done
from studio.history import history
from studio.preset import Preset, validate
from studio.share import read_image, save_image
from tests.support.fake_engine import FakeEngine
from tests.support.studio_page import needs_starter

pytestmark = needs_starter


class _Engine:
    """Makes what it is asked for, but for dogs."""

    def generate(self, preset: Preset, *_: object) -> Iterator[Any]:
        if preset.rows[0].prompt == "a dog":
            raise StudioError("no dogs")
        yield from (event for event in FakeEngine()(preset) if isinstance(event, Done))


@pytest.fixture
def studio(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    for name in ("a cat", "a dog", "a catfish"):
        made = validate({"rows": [{"prompt": name}], "sampler": {"seed": 3}})
        save_image(Image.new("RGB", (64, 64)), made, studio_home / "outputs")
    monkeypatch.setattr(history_made, "make_engine", lambda roots: _Engine())

    def run(*words: str) -> tuple[int, list[Any], str]:
        code = main(("history", *words))
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


def test_what_is_found_is_made_larger_each_with_its_own_preset(studio: Any) -> None:
    found = studio("search", "cat", "--sort", "oldest")[1]
    code, lines, _ = studio("larger", "cat", "--sort", "oldest", "--factor", "3", "--strength", "0")
    assert code == 0
    assert [line["from"] for line in lines] == [one["id"] for one in found]
    made = [one for one in history().search().records if one.parent]
    assert sorted(one.prompts for one in made) == ["a cat", "a catfish"]
    preset, _ = read_image(history().file(made[0]))
    assert (preset.sampler.width, preset.sampler.height) == (192, 192)
    assert preset.init is not None
    assert preset.init.strength == 0


def test_one_that_fails_leaves_the_others_theirs_and_is_said(studio: Any, tmp_path: Path) -> None:
    names = [one["id"] for one in studio("search", "--sort", "oldest")[1]]
    out = tmp_path / "elsewhere"
    named = [word for one in names for word in ("--id", one)]
    code, lines, said = studio("larger", *named, "--out", str(out))
    assert code == 2
    assert [line["from"] for line in lines] == [names[0], names[2]]
    assert len(list(out.glob("*.png"))) == 2
    assert "no dogs" in said
    assert "1 of 3 pictures could not be made larger" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["larger", "zebra"], "0 are found"),
        (["larger", "cat", "--factor", "20"], "factor: over 1 and at most 8 times"),
        (["larger", "--id", "nobody"], "no picture of the history is called that"),
        (["sheet", "zebra", "--out", "x.png"], "2 to 100 pictures, got 0"),
        (["sheet", "--out", "x.jpg"], "a file that ends in .png"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_in_one_line(studio: Any, words: list[str], said: str) -> None:
    code, lines, error = studio(*words)
    assert (code, lines) == (2, [])
    assert said in error


def test_pictures_are_put_on_one_sheet_that_is_written_once(studio: Any, tmp_path: Path) -> None:
    place = tmp_path / "new" / "sheet.png"
    assert studio("sheet", "cat", "--out", str(place))[1] == [
        {"pictures": 2, "done": "on one sheet", "file": str(place)}
    ]
    assert Image.open(place).size == (128, 64)
    code, _, error = studio("sheet", "cat", "--out", str(place))
    assert code == 2
    assert "is there already" in error
