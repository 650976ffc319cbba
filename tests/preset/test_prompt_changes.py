"""Prompts that change from step to step, against a plain evaluation of the documented grammar."""

from __future__ import annotations

import re
import time

import pytest

from studio.preset.prompt_changes import changes, text_at

STEPS = 20


def by_hand(text: str, number: int) -> str:
    """Step ``number`` from 1, innermost brackets first, one after another.

    The web UI's documentation: [from:to:when] "replaces from with to after a fixed number of
    steps (when)", a part of them below 1; [a|b]: step 1 is a, step 2 is b, step 3 is a again.
    """
    inner = re.compile(r"\[([^\[\]:|]*)(?::([^\[\]:|]*))?:([0-9.]+)\]|\[([^\[\]:]*\|[^\[\]:]*)\]")
    while match := inner.search(text):
        first, second, when, turns = match.groups()
        if turns is not None:
            options = turns.split("|")
            chosen = options[(number - 1) % len(options)]
        else:
            before, after = ("", first) if second is None else (first, second)
            place = int(float(when) * STEPS) if "." in when else int(when)
            chosen = before if number <= place else after
        text = text[: match.start()] + chosen + text[match.end() :]
    return text


@pytest.mark.parametrize(
    "text",
    [
        "a [cat:dog:0.5] here",
        "a [cat:dog:10]",
        "a [cat:dog:0.33] and [x:.7]",
        "[fog::0.25] and [rain:0.75]",
        "a [red:[blue:green:0.6]:0.3] hat",
        "a [red:[blue|green]:0.3] hat",
        "[[a|b]|c] x",
        "[a:b:0.2] [c:d:0.4] [e:f:0.4]",
        "[a:b:1.0] [c:d:0] [e:f:99] [g::1]",
        "(big [cat:dog:0.5]:1.2)",
        "a [red|blue] [x|y|z] cat [|q]",
    ],
)
def test_every_step_has_the_documented_text(text: str) -> None:
    assert changes(text)
    for step in range(STEPS):
        assert text_at(text, step, STEPS) == by_hand(text, step + 1)


@pytest.mark.parametrize(
    "text",
    [
        "a (cat:1.2) [dog]",
        r"[(a:1.1) [b]] \[x:y:0.5\]",
        "[a:b]",
        "plain",
        "[(a:1.2)]",
        r"[a\|b]",
        "[a:b|c:0.5]",
        "[a::b]",
        "[a:-1]",
        "[",
    ],
)
def test_weights_and_plain_brackets_stay(text: str) -> None:
    assert changes(text) == () and text_at(text, 3, STEPS) == text


@pytest.mark.parametrize(
    "text",
    [
        "[" * 40_000,
        "[a:b:0.1]" * 4000,
        "[a|b]" * 8000,
        "[:" * 20_000 + ":]" * 9,
        "[a:" * 9000 + "b:0.5]" * 9000,
        "[a:" + "9" * 40_000 + "]",
    ],
    ids=lambda text: text[:9],
)
def test_hostile_prompts_are_read_in_time(text: str) -> None:
    start = time.process_time()
    text_at(text, 3, STEPS)
    assert time.process_time() - start < 4
