"""Prompts as text: parts that decoupling tells apart (GCFG, Sec. 4.4), and attention weights."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

# Every pattern here takes time in proportion to its text: a run of blanks or digits is entered at
# its first letter only, and is never given back (``++``).
_NUMBER = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)"
BREAK = re.compile(r"(?:(?<!\s)\s++)?+\bBREAK\b\s*+")  # what follows is read in a window of its own
_SPLIT = re.compile(r"(?<!\s)\s++AND(?:\s++|$)|^AND\s++")
_WEIGHT = re.compile(_NUMBER)


def split_prompt(prompt: str) -> list[tuple[str, float]]:
    """Parts of a prompt around ``AND`` with their weights ``s_k`` (``text:1.2``; default 1).

    Without ``AND`` the prompt is one part, and a colon in it is text.
    """
    pieces = [piece.strip() for piece in _SPLIT.split(prompt)]
    if len(pieces) < 2:
        return [(prompt.strip(), 1.0)]
    return [_part(piece) for piece in pieces if piece] or [("", 1.0)]


def joined(parts: Sequence[tuple[str, float]]) -> str:
    """A prompt of parts with their weights, as :func:`split_prompt` reads it; of a single one its text."""
    if len(parts) == 1:
        return parts[0][0]
    return " AND ".join(text if weight == 1 else f"{text}:{weight!r}" for text, weight in parts)


def _part(piece: str) -> tuple[str, float]:
    """``text:1.2`` as text and weight; 1 where what follows the last colon is no finite number."""
    text, colon, written = piece.rpartition(":")
    written = written.strip()
    if colon and _WEIGHT.fullmatch(written) and math.isfinite(weight := float(written)):
        return text.rstrip(), weight
    return piece, 1.0


_MARK = re.compile(rf"\\[()\[\]{{}}_\\]|[()\[\]]|:\s*+({_NUMBER})\s*+(?=\))")
_ROUND, _SQUARE = 1.1, 1 / 1.1


def weighted_spans(prompt: str) -> list[tuple[str, float]]:
    r"""A prompt's pieces of text with their attention weights, as the web UIs write them.

    ``(word:1.2)`` weighs 1.2, ``(word)`` 1.1, ``[word]`` 1/1.1; nested weights multiply, and a
    backslash makes a bracket plain text. Brackets that do not pair up are plain text too.
    """
    pieces: list[list[Any]] = []  # [text, weight]
    open_: list[tuple[str, int]] = []  # (bracket, index of the first piece inside)
    place = 0

    def add(text: str) -> None:
        if text:
            pieces.append([text, 1.0])

    def close(factor: float) -> None:
        _, first = open_.pop()
        pieces[first][0] = ""  # the bracket itself
        for piece in pieces[first + 1 :]:
            piece[1] *= factor

    given: float | None = None
    for match in _MARK.finditer(prompt):
        add(prompt[place : match.start()])
        place, mark = match.end(), match[0]
        if mark[0] == "\\":
            add(mark[1])
        elif mark in "([":
            open_.append((mark, len(pieces)))
            pieces.append([mark, 1.0])
        elif mark[0] == ":":
            if open_ and open_[-1][0] == "(" and math.isfinite(float(match[1])):
                given = float(match[1])
            else:
                add(mark)
        elif open_ and open_[-1][0] + mark in ("()", "[]"):
            close(_SQUARE if mark == "]" else _ROUND if given is None else given)
            given = None
        else:
            add(mark)
    add(prompt[place:])
    return _joined(pieces)


def has_weights(prompt: str) -> bool:
    """Whether ``prompt`` holds a weight that is written out, as in ``(word:1.2)``."""
    return any(match[1] for match in _MARK.finditer(prompt)) and any(
        weight != 1 for _, weight in weighted_spans(prompt)
    )


def _joined(pieces: list[list[Any]]) -> list[tuple[str, float]]:
    """Neighbours of equal weight as one piece; a plain prompt stays whole."""
    spans: list[tuple[str, float]] = []
    for text, weight in pieces:
        if text and spans and spans[-1][1] == weight:
            spans[-1] = (spans[-1][0] + text, weight)
        elif text:
            spans.append((text, weight))
    return spans


def mentions(prompt: str, word: str) -> bool:
    """Whether ``prompt`` holds ``word`` as a word of its own, whatever its case."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", prompt, re.IGNORECASE) is not None
