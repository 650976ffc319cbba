"""Prompts of the web UIs that change during the denoising stay as they are: they mean the same here."""

from __future__ import annotations

from pathlib import Path

from studio.preset.prompts import weighted_spans
from tests.support.other_tools import a1111, png, read, rows


def test_they_come_over_as_they_are(tmp_path: Path) -> None:
    prompt = "a [cat:dog:0.5] [red|blue] BREAK a hat"
    preset, notes = read(png(tmp_path, parameters=a1111(prompt, "[bad:worse:5]")))
    assert rows(preset) == [(prompt, 7.0), ("[bad:worse:5]", -6.0)]
    assert "[cat" not in notes and "BREAK" not in notes


def test_what_was_chosen_there_is_not_chosen_anew(tmp_path: Path) -> None:
    preset, _ = read(png(tmp_path, parameters=a1111("a {red|blue} __hat__", "")))
    assert weighted_spans(preset.rows[0].prompt) == [("a {red|blue} __hat__", 1.0)]


def test_a_bracket_that_is_never_closed_acts_to_the_end_as_there(tmp_path: Path) -> None:
    text = "a (cat, [red AND ((dog:1.2) :0.5 AND d"
    preset, _ = read(png(tmp_path, parameters=a1111(text, "blurry [hat")))
    assert [row.prompt for row in preset.rows] == [
        *("a (cat, [red]) AND ((dog:1.2)) :0.5 AND d", "blurry [hat]")
    ]
    assert weighted_spans("((dog:1.2))") == [("dog", 1.2 * 1.1)]
    for text, closed in (
        ("a, (cat:1.2", "a, (cat:1.2:1.1)"),  # where the number is text, too
        ("[cat:dog:0.5", "(cat:dog:0.5:0.909091)"),
        ("[cat|dog", "(cat|dog:0.909091)"),
        ("[a (b:1.2) c", "[a (b:1.2) c]"),
        ("smile :(", "smile :"),
        ("[" * 1500 + "a:b", "[" * 1500 + "a:b" + "]" * 1500),  # at once, however many
    ):
        preset, _ = read(png(tmp_path, parameters=a1111(text, "")))
        assert preset.rows[0].prompt == closed
    assert weighted_spans("(cat:1.2:1.1)") == [("cat:1.2", 1.1)]
    preset, _ = read(png(tmp_path, parameters=a1111(r"a \(cat, (b:1.2)) c", "")))
    assert preset.rows[0].prompt == r"a \(cat, (b:1.2)) c"
