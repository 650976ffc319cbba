"""Styles as an axis of a sweep: laid over the rows, beside the other axes, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.experiments.grid import said_of
from studio.preset import Preset, style_axis, validate
from studio.preset.style_axis import style_notes
from studio.preset.styles import save_style
from studio.preset.sweep import Axis, cells, changed, parse_axis
from studio.ui.presets.styles import cards
from studio.ui.space import Limits
from studio.ui.sweep.asked import check_values, look, read_axis


@pytest.fixture
def preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Preset:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    save_style("Ink", "{prompt}, in ink", "photo")
    save_style("Oil, thick", "in oil")
    save_style("Mine", "x <lora:mine:0.5>")
    save_style("Blot", "embedding:blot")
    save_style("Faint", "{prompt}")
    save_style("50", "in fifties")
    save_style("Not", "", "ugly")
    save_style("Dots", "dots", "blurry")
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
    searched = changed(preset, [axes[1], Axis("prompts", ("cat", "ink"))], ["Ink", "ink"])
    assert searched.rows[0].prompt == "a ink, in ink"
    with pytest.raises(StudioError, match="no prompt of the rows holds 'ink'"):
        changed(preset, [axes[1], Axis("prompts", ("ink", "chalk"))], ["Ink", "chalk"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("style=Chalk", "there is no style 'Chalk'"),
        ("style=Mine", "'Mine' calls a LoRA by a tag"),
        ("style=[3]", "expected the name of a style, got 3"),
        ("style=Oil, thick", "there is no style 'Oil'; .*; names with commas need a JSON list"),
        ("style=Blot", "'Blot' calls an embedding"),
        ('style=["", "Faint"]', "'Faint' makes the same picture as no style"),
        ('style=["Ink", "INK"]', "'INK' is there twice"),
    ],
)
def test_what_cannot_be_is_refused_by_name(preset: Preset, text: str, words: str) -> None:
    with pytest.raises(StudioError, match=words) as refused:
        cells(preset, parse_axis(text, "--x"))
    assert refused.value.field == "style"


def test_a_name_may_look_like_a_number(preset: Preset) -> None:
    (cell,) = cells(preset, parse_axis("style=50", "--x"))
    assert cell.preset.rows[0].prompt == "a cat, in fifties"


def test_what_of_a_style_has_no_place_is_said(preset: Preset) -> None:
    plain = validate({"rows": [{"prompt": "a cat", "weight": 1.0}]})
    said = "style 'Dots': its negative text 'blurry' is left out; no row has a weight below 0"
    assert [note.startswith(said) for note in style_notes(plain, ["", "Dots"], ())] == [True]
    (line,) = style_notes(plain, ["", "Dots", "Ink"], ())
    assert line.startswith("styles 'Dots', 'Ink': their negative texts are left out")
    assert list(style_notes(preset, ["", "Dots", "Ink"], ())) == []
    with pytest.raises(StudioError, match="'Not': its negative text 'ugly' is left out"):
        cells(plain, parse_axis('style=["", "Not"]', "--x"))


def test_a_style_that_stands_in_the_rows_already_is_said(preset: Preset) -> None:
    """As after one of the cells is used."""
    axis = parse_axis('style=["", "Ink", "Oil, thick"]', "--x")
    for cell, name in zip(cells(preset, axis)[1:], ("Ink", "Oil, thick"), strict=True):
        (line,) = style_notes(cell.preset, axis.values, ())
        assert line.startswith(f"style '{name}': its text stands in the rows already")
    asked = [{"field": "style", "values": '["", "Ink"]'}]
    assert look(preset, asked, Limits(), lambda: None).idle == ()
    (line,) = look(cells(preset, axis)[1].preset, asked, Limits(), lambda: None).idle
    assert "its text stands in the rows already" in line


def test_a_label_says_that_there_is_none() -> None:
    assert said_of(Axis("style", ("", "Ink")), "") == "none"
    assert (
        said_of(Axis("rows.0.prompt", ("",)), "") == "" and said_of(Axis("omega", (1,)), 1) == "1"
    )


def test_those_that_an_axis_refuses_are_not_offered(preset: Preset) -> None:
    offered = {card["title"]: card["varies"] for card in cards(Limits())["items"]}
    assert {name for name, varies in offered.items() if not varies} == {"Mine", "Blot"}


def test_a_file_that_goes_in_this_moment_is_passed_over(
    preset: Preset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = tmp_path / "styles" / "lost.json"
    monkeypatch.setattr(style_axis, "listed", lambda *_: [lost, tmp_path / "styles" / "ink.json"])
    axis = parse_axis("style=Ink", "--x")
    assert changed(preset, [axis], ["Ink"]).rows[0].prompt == "a cat, in ink"


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
