"""Prompts as text: read in time that grows with them, whatever they hold."""

from __future__ import annotations

import re
import time

import pytest

from studio.preset.prompts import has_weights, split_prompt, weighted_spans

LONG = 200_000
HOSTILE = {
    "blanks": "a" + " " * LONG + "b",
    "blanks before AN": "a" + " " * LONG + "AN",
    "colons and blanks": "a AND b " + ": " * (LONG // 2) + "x",
    "blanks before a colon": "a AND b" + " " * LONG + "x",
    "digits": "a AND b:" + "1" * LONG + "x",
    "digits in brackets": "(a:" + "1" * LONG + "x)",
    "blanks in brackets": "(a:" + " " * LONG + "x)",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("read", [split_prompt, has_weights])
def test_no_text_takes_more_than_its_share_of_time(text: str, read) -> None:
    start = time.process_time()
    read(text)
    assert time.process_time() - start < 2  # in proportion: some milliseconds


def test_weights_that_are_no_finite_numbers_are_text() -> None:
    digits = "9" * 400
    assert split_prompt(f"a AND b:{digits}") == [("a", 1.0), (f"b:{digits}", 1.0)]
    assert weighted_spans(f"(b:{digits})") == [(f"b:{digits}", 1.1)]


@pytest.mark.parametrize("piece", ["b:1.5", "b : -.5 ", "b:c:+2.", "b:1.5x", ":3", "b:", "b: 1 2"])
def test_a_part_s_weight_is_what_follows_its_last_colon(piece: str) -> None:
    found = re.match(r"^(.*?)\s*:\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*$", piece.strip())
    expected = (found[1], float(found[2])) if found else (piece.strip(), 1.0)
    assert split_prompt(f"a AND {piece}")[1] == expected
