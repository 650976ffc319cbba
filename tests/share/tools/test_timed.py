"""Prompts that change during the denoising, against a plain evaluation step by step."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from studio.share.tools.timed import pieces
from tests.support.other_tools import a1111, png, read

STEPS = 20


def texts_at(text: str, step: int) -> list[tuple[str, float]]:
    """The texts and shares of the piece that holds a step."""
    now = step / STEPS
    found = pieces(text, STEPS, "rows", [])
    assert abs(sum(share for piece in found for _, share in piece.texts) - len(found)) < 1e-9
    return next(list(p.texts) for p in found if p.range[0] <= now < p.range[1])


def by_hand(text: str, step: int) -> str:
    """Innermost brackets first, one after another, as the web UI's grammar says."""
    inner = re.compile(r"\[([^\[\]:|]*)(?::([^\[\]:|]*))?:([0-9.]+)\]")
    while match := inner.search(text):
        first, second, when = match[1], match[2], match[3]
        before, after = ("", first) if second is None else (first, second)
        place = float(when) * STEPS if "." in when else float(when)
        chosen = before if step < place else after
        text = text[: match.start()] + chosen + text[match.end() :]
    return text


@pytest.mark.parametrize(
    "text",
    [
        "a [cat:dog:0.5] here",
        "a [cat:dog:10]",
        "[fog::0.25] and [rain:0.75]",
        "a [red:[blue:green:0.6]:0.3] hat",
        "[a:b:0.2] [c:d:0.4] [e:f:0.4]",
        "[a:b:1.0] [c:d:0] [e:f:99]",
        "(big [cat:dog:0.5]:1.2)",
    ],
)
def test_every_step_has_the_web_ui_s_text(text: str) -> None:
    for step in range(STEPS):
        assert texts_at(text, step) == [(by_hand(text, step), 1.0)]


def test_turns_are_shares() -> None:
    assert texts_at("a [red|blue] [x|y|z] cat", 3) == [
        ("a red x cat", pytest.approx(1 / 3)),
        ("a blue y cat", pytest.approx(1 / 3)),
        ("a red z cat", pytest.approx(1 / 3)),
    ]


@pytest.mark.parametrize(
    "text", ["a (cat:1.2) [dog]", "[(a:1.1) [b]] \\[x:y:0.5\\]", "[a:b]", "plain"]
)
def test_weights_and_plain_brackets_stay(text: str) -> None:
    notes: list[str] = []
    found = pieces(text, STEPS, "rows", notes)
    assert [piece.texts for piece in found] == [((text, 1.0),)] and notes == []


def test_rows_with_ranges(tmp_path: Path) -> None:
    prompt = "a [cat:dog:0.5] [red|blue]"
    preset, notes = read(png(tmp_path, parameters=a1111(prompt, "[bad:worse:5]")))
    assert [(row.prompt, row.weight, row.range) for row in preset.rows] == [
        ("a cat red", 3.5, (0.0, 0.5)),
        ("a cat blue", 3.5, (0.0, 0.5)),
        ("a dog red", 3.5, (0.5, 1.0)),
        ("a dog blue", 3.5, (0.5, 1.0)),
        ("bad", -6.0, (0.0, 0.25)),
        ("worse", -6.0, (0.25, 1.0)),
    ]
    assert "[cat:dog] changes there by the count of steps, here by their noise" in notes
    assert "([red|blue]) has its share of each step here" in notes


@pytest.mark.parametrize(
    "text",
    [
        "[" * 40_000,
        "[a:b:0.1]" * 4000,
        "[a|b]" * 8000,
        "[:" * 20_000 + ":]" * 9,
        "[a:" * 9000 + "b:0.5]" * 9000,
    ],
    ids=lambda text: text[:9],
)
def test_hostile_prompts_are_read_in_time(text: str) -> None:
    start = time.process_time()
    notes: list[str] = []
    found = pieces(text, STEPS, "rows", notes)
    assert time.process_time() - start < 4 and len(found) <= 13
