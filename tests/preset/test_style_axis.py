"""Styles as an axis of a sweep: laid over the rows, beside the other axes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.preset import Preset, validate
from studio.preset.styles import save_style
from studio.preset.sweep import Axis, cells, changed, parse_axis
from studio.ui.space import Limits
from studio.ui.sweep.asked import check_values, read_axis


@pytest.fixture
def preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Preset:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    save_style("Ink", "{prompt}, in ink", "photo")
    save_style("Oil, thick", "in oil")
    save_style("Mine", "x <lora:mine:0.5>")
    return validate({"rows": [{"prompt": "a cat", "weight": 5.0}]})


def _texts(preset: Preset) -> list[tuple[str, float]]:
    return [(row.prompt, row.weight) for row in preset.rows]


def test_each_style_is_laid_over_the_rows_in_turn(preset: Preset) -> None:
    found = cells(preset, parse_axis('style=["", "ink", "Oil, thick"]', "--x"))
    assert [_texts(cell.preset) for cell in found] == [
        [("a cat", 5.0)],
        [("a cat, in ink", 5.0), ("photo", -4.0)],
        [("a cat, in oil", 5.0)],
    ]


def test_it_comes_after_the_prompts_and_before_the_scale(preset: Preset) -> None:
    axes = [
        parse_axis("cfg=3,8", "--x"),
        parse_axis("style=Ink", "--y"),
        parse_axis('rows.0.prompt=["a dog"]', "--z"),
    ]
    made = changed(preset, axes, [8, "Ink", "a dog"])
    assert _texts(made) == [("a dog, in ink", 8.0), ("photo", -7.0)]
    searched = changed(preset, [Axis("prompts", ("ink", "chalk")), axes[1]], ["chalk", "Ink"])
    assert searched.rows[0].prompt == "a cat, in chalk"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("style=Chalk", "there is no style 'Chalk'"),
        ("style=Mine", "'Mine' calls a LoRA by a tag"),
        ("style=3", "expected the name of a style, got 3"),
        ('style=["Ink", "INK"]', "'INK' is there twice"),
    ],
)
def test_what_cannot_be_is_refused_by_name(preset: Preset, text: str, words: str) -> None:
    with pytest.raises(StudioError, match=words) as refused:
        cells(preset, parse_axis(text, "--x"))
    assert refused.value.field == "style"


def test_a_style_that_is_changed_counts_from_then_on(preset: Preset, tmp_path: Path) -> None:
    axis = parse_axis("style=Ink", "--x")
    assert changed(preset, [axis], ["Ink"]).rows[0].prompt == "a cat, in ink"
    data = {"name": "Ink", "prompt": "in much darker ink"}
    (tmp_path / "styles" / "ink.json").write_text(json.dumps(data))
    assert changed(preset, [axis], ["Ink"]).rows[0].prompt == "a cat, in much darker ink"


def test_the_page_reads_names_one_a_line(preset: Preset) -> None:
    axis = read_axis("style", '["", "Oil, thick"]')
    assert axis.values == ("", "Oil, thick")
    check_values(preset, axis, Limits())
