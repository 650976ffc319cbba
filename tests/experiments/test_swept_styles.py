"""Styles of a sweep that are changed or gone before it goes on: its pictures stay what they are called."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from studio.errors import MissingFile
from studio.experiments import sweeping
from studio.preset import Preset, validate
from studio.preset.styles import save_style
from studio.preset.sweep import parse_axis
from studio.ui.space import Limits
from studio.ui.sweep.asked import here, look, three
from studio.ui.sweep.earlier import listed, opened

PRESET = validate({"rows": [{"prompt": "a cat", "weight": 5.0}], "sampler": {"seed": 3}})
AXES = three([parse_axis('style=["", "Ink"]', "--x")])


@pytest.fixture
def ink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    return save_style("Ink", "{prompt}, in ink", "photo")


def _make(
    items: Sequence[tuple[Preset, Path]],
) -> Generator[tuple[int, dict[str, Any]], None, None]:
    for number, (preset, path) in enumerate(items):
        path.write_text(preset.rows[0].prompt)
        yield number, {"prompt": preset.rows[0].prompt}


def _swept(folder: Path, most: int = 9) -> list[tuple[str, str]]:
    """What each picture is called in the sweep, and what is in it; no more are made than that."""
    folder.mkdir(exist_ok=True)
    asked = sweeping.begin(PRESET, AXES, [], folder)
    found = zip(sweeping.run(asked, folder, _make), range(most), strict=False)
    return [(shot.cell.x, (folder / line["path"]).read_text()) for (shot, line), _ in found]


def test_a_style_that_is_another_by_now_makes_another_sweep(ink: Path, tmp_path: Path) -> None:
    folder = tmp_path / "swept"
    assert _swept(folder) == [("", "a cat"), ("Ink", "a cat, in ink")]
    ink.write_text(json.dumps({"name": "Ink", "prompt": "in oil"}))
    assert _swept(folder) == [("", "a cat"), ("Ink", "a cat, in oil")]
    assert sorted(one.read_text() for one in folder.glob("*-x01-*.png")) == [
        "a cat, in ink",
        "a cat, in oil",
    ]


@pytest.mark.parametrize("most", [1, 2])
def test_one_whose_style_is_gone_goes_on_with_what_it_was(
    ink: Path, tmp_path: Path, most: int
) -> None:
    folder = tmp_path / "swept"
    _swept(folder, most)
    ink.unlink()
    assert _swept(folder) == [("", "a cat"), ("Ink", "a cat, in ink")]
    with pytest.raises(MissingFile, match="there is no style 'Ink'"):
        _swept(tmp_path / "other")


@pytest.mark.parametrize("now", ["", "in oil"])
def test_on_the_page_an_earlier_one_is_that_of_then(ink: Path, tmp_path: Path, now: str) -> None:
    folder = tmp_path / "swept"
    _swept(folder)
    ink.write_text(json.dumps({"name": "Ink", "prompt": now})) if now else ink.unlink()
    (line,) = listed(folder)
    preset, axes = opened(folder, line["stem"])
    found = look(preset, json.loads(json.dumps(axes)), Limits(), lambda: None)
    assert here(preset, found.axes, folder) == 2
    assert found.idle == ("style 'Ink': as this sweep had it; it is not the same now",)
    asked = sweeping.begin(preset, three(found.axes), [], folder)
    assert asked.stem == line["stem"]
    assert [shot.preset.rows[0].prompt for shot in asked.shots()] == ["a cat", "a cat, in ink"]
