r"""Prompts that change from step to step, as AUTOMATIC1111's web UI documents them.

``[from:to:when]`` is ``from`` up to step ``when`` and ``to`` after it, ``[to:when]`` begins there
and ``[from::when]`` ends there; ``when`` is a part of the steps where it has a point, else their
number. ``[a|b]`` takes turns: ``a`` at the first step, ``b`` at the second, and on. They nest, and
a backslash makes a bracket plain text. A bracket that is none of these is a weight.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

MAX_NESTING = 20
_SQUARE = re.compile(r"(?<!\\)\[([^\[\]]*)(?<!\\)\]")
_WHEN = re.compile(r"\s*+(\d{1,6}(?:\.\d{0,12})?|\.\d{1,12})\s*+")
_WEIGHT = "\x01", "\x02"  # brackets that are weights, set aside while outer ones are read


@dataclass(frozen=True)
class Change:
    """What a bracket holds: two texts around ``when``, or several that take turns (``None``)."""

    options: tuple[str, ...]
    when: str | None = None

    def at(self, step: int, steps: int) -> str:
        """The text at a step, counted from 0."""
        if self.when is None:
            return self.options[step % len(self.options)]
        last = float(self.when) * steps if "." in self.when else float(self.when)
        return self.options[0] if step < min(steps, int(last)) else self.options[1]


@lru_cache(maxsize=4096)
def changes(prompt: str) -> tuple[Change, ...]:
    """Every bracket of a prompt that changes, inner ones first; () for a prompt that stays."""
    found: list[Change] = []

    def noted(change: Change) -> str:
        found.append(change)
        return " ".join(change.options)

    if "[" in prompt:
        _settle(prompt, noted)
    return tuple(found)


@lru_cache(maxsize=4096)
def text_at(prompt: str, step: int, steps: int) -> str:
    """A prompt as it is at one step.

    Args:
        prompt: may hold brackets that change.
        step: counted from 0 along the whole denoising.
        steps: of the whole denoising.
    """
    return _settle(prompt, lambda change: change.at(step, steps)) if changes(prompt) else prompt


def _settle(text: str, choose: Callable[[Change], str]) -> str:
    """Every bracket that changes replaced by a text, from the inside out; weights stay."""

    def replaced(match: re.Match[str]) -> str:
        change = _read(match[1])
        return _WEIGHT[0] + match[1] + _WEIGHT[1] if change is None else choose(change)

    for _ in range(MAX_NESTING):
        found = _SQUARE.sub(replaced, text)
        if found == text:
            break
        text = found
    return text.replace(_WEIGHT[0], "[").replace(_WEIGHT[1], "]")


def _read(inside: str) -> Change | None:
    """What stands in a bracket; ``None`` for a weight."""
    parts, marks = _split(inside)
    if marks and set(marks) == {"|"}:
        return Change(tuple(parts))
    when = _WHEN.fullmatch(parts[-1]) if marks in (":", "::") else None
    if when is None:
        return None
    before, after = ("", parts[0]) if len(parts) == 2 else (parts[0], parts[1])
    return Change((before, after), when[1])


def _split(inside: str) -> tuple[list[str], str]:
    """The parts between ``:`` and ``|`` outside of round brackets, and those marks."""
    parts, marks, depth, start = [], "", 0, 0
    for match in re.finditer(r"\\.|[():|]", inside):
        letter = match[0]
        if letter in "()":
            depth += 1 if letter == "(" else -1
        elif depth == 0 and len(letter) == 1:
            parts.append(inside[start : match.start()])
            start = match.end()
            marks += letter
    return [*parts, inside[start:]], marks
