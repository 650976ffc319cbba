"""Prompts of the web UIs that change during the denoising, as texts with their ranges.

``[from:to:when]`` is ``from`` up to ``when`` and ``to`` after it, ``[to:when]`` begins there and
``[from::when]`` ends there, with ``when`` as a part of the steps or as their number; ``[a|b]``
takes turns from step to step. Here a text with a range is a row with a range; what takes turns
has its share of every step.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from studio.share.tools.prompts import MAX_NESTING, MAX_READ, number

MAX_MARKS = 12
MAX_TURNS = 6
_SQUARE = re.compile(r"(?<!\\)\[([^\[\]]*)(?<!\\)\]")
_OPEN, _CLOSE = "\x01", "\x02"  # brackets that are weights, set aside while outer ones are read


@dataclass(frozen=True)
class Piece:
    """The texts of one part of the denoising, and their shares, whose sum is 1."""

    range: tuple[float, float]
    texts: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Change:
    """What a bracket holds: two texts around ``when``, or several that take turns (no ``when``)."""

    options: tuple[str, ...]
    when: float | None = None


def pieces(text: str, steps: int, field: str, notes: list[str]) -> list[Piece]:
    """A prompt's texts over the denoising; one piece for a prompt that does not change.

    Args:
        steps: of the whole denoising, for changes that are given as a number of steps.
    """
    text = text[:MAX_READ]
    marks, turns, shown = _changes(text, steps)
    if not shown:
        return [Piece((0.0, 1.0), ((text, 1.0),))]
    if len(marks) > MAX_MARKS:
        notes.append(f"{field}: only the first {MAX_MARKS} of {len(marks)} changes are kept")
    edges = sorted({0.0, 1.0, *list(marks)[:MAX_MARKS]})
    if marks:
        notes.append(
            f"{field}: {shown[0]} changes there by the count of steps, here by their noise"
        )
    if turns > 1:
        notes.append(
            f"{field}: what takes turns there ({shown[-1]}) has its share of each step here"
        )
    return [
        Piece(
            (start, end),
            tuple((_at(text, start, turn, steps), 1.0 / turns) for turn in range(turns)),
        )
        for start, end in pairwise(edges)
    ]


def _changes(text: str, steps: int) -> tuple[dict[float, None], int, list[str]]:
    """Where a prompt changes, how many texts take turns, and the brackets that do either."""
    marks: dict[float, None] = {}
    shown: list[str] = []
    most = 1

    def noted(change: Change) -> str:
        nonlocal most
        if change.when is None:
            most = max(most, len(change.options))
        elif 0 < change.when < 1:
            marks[change.when] = None
        inside = ("|" if change.when is None else ":").join(change.options)
        shown.append(f"[{_plain(inside)[:50]}]")
        return " ".join(change.options)

    _settle(text, steps, noted)
    return marks, min(most, MAX_TURNS), shown


def _at(text: str, now: float, turn: int, steps: int) -> str:
    """A prompt as it is at one place of the denoising, in one turn."""

    def chosen(change: Change) -> str:
        if change.when is None:
            return change.options[turn % len(change.options)]
        return change.options[0] if now < change.when else change.options[1]

    return _settle(text, steps, chosen)


def _settle(text: str, steps: int, choose: Callable[[Change], str]) -> str:
    """Every bracket that changes replaced by a text, from the inside out; weights stay."""

    def replaced(match: re.Match[str]) -> str:
        change = _read(match[1], steps)
        return _OPEN + match[1] + _CLOSE if change is None else choose(change)

    for _ in range(MAX_NESTING):
        found = _SQUARE.sub(replaced, text)
        if found == text:
            break
        text = found
    return _plain(text)


def _plain(text: str) -> str:
    return text.replace(_OPEN, "[").replace(_CLOSE, "]")


def _read(inside: str, steps: int) -> Change | None:
    """What stands in a bracket; ``None`` for a weight."""
    parts, marks = _split(inside)
    if marks and set(marks) == {"|"}:
        return Change(tuple(parts))
    when = parts[-1].strip()
    place = number(when) if marks in (":", "::") else None
    if place is None or place < 0:
        return None
    part = float(place) if "." in when else place / max(1, steps)
    before, after = ("", parts[0]) if len(parts) == 2 else (parts[0], parts[1])
    return Change((before, after), min(1.0, part))


def _split(inside: str) -> tuple[list[str], str]:
    """The parts between ``:`` and ``|`` outside of round brackets, and those marks."""
    parts, marks, depth, start = [], "", 0, 0
    for match in re.finditer(r"[():|]", inside):
        letter = match[0]
        if letter in "()":
            depth += 1 if letter == "(" else -1
        elif depth == 0:
            parts.append(inside[start : match.start()])
            start = match.end()
            marks += letter
    return [*parts, inside[start:]], marks
