"""The texts in the page's scripts, read from their sources: what a walk through the page may not meet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from studio.ui.static_files import SCRIPTS, STATIC

HOLE = "\0"  # where a script puts a value in
_WORDS = re.compile(r"[A-Z“].* |[a-z\0]+(,? [a-z\0’']+[,:;]?){2,}")
_REGEX_MAY_FOLLOW = re.compile(r"[(,=:\[!&|?{};\n]\s*$")


def texts() -> Iterator[tuple[str, str]]:
    """Script and text of every literal that reads like words: two at least that begin with a capital
    letter, or three; with :data:`HOLE` for values."""
    for name in SCRIPTS:
        for text in _literals((STATIC / name).read_text(encoding="utf-8")):
            if _WORDS.match(text.strip()) and not re.search(r"[<>=#]|gs-", text):
                yield name, text.strip()


def _literals(source: str) -> list[str]:
    """Strings and templates of a script; those that a plus joins are one."""
    found: list[str] = []
    at, joins = 0, False
    while at < len(source):
        char = source[at]
        if source.startswith("//", at):
            at = source.find("\n", at) % (len(source) + 1)
        elif source.startswith("/*", at):
            at = source.index("*/", at) + 2
        elif char == "/" and _REGEX_MAY_FOLLOW.search(source[max(0, at - 20) : at] or "\n"):
            at = _end_of_regex(source, at)
        elif char in "\"'`":
            text, at = (_template if char == "`" else _string)(source, at + 1, found)
            if joins and found:
                found[-1] += text
            else:
                found.append(text)
            joins = source[at:].lstrip().startswith("+")
        else:
            joins = joins and (char.isspace() or char == "+")
            at += 1
    return found


def _string(source: str, at: int, _: list[str]) -> tuple[str, int]:
    quote, start = source[at - 1], at
    while source[at] != quote:
        at += 2 if source[at] == "\\" else 1
    return source[start:at].replace("\\", ""), at + 1


def _template(source: str, at: int, found: list[str]) -> tuple[str, int]:
    """The text with holes; literals inside the holes go to ``found``."""
    text = ""
    while source[at] != "`":
        if source.startswith("${", at):
            end = _end_of_hole(source, at + 2)
            found.extend(_literals(source[at + 2 : end]))
            text, at = text + HOLE, end + 1
        else:
            text, at = text + source[at], at + 1
    return text, at + 1


def _end_of_hole(source: str, at: int) -> int:
    depth = 0
    while depth or source[at] != "}":
        if source[at] in "\"'":
            at = _string(source, at + 1, [])[1]
        elif source[at] == "`":
            at = _template(source, at + 1, [])[1]
        else:
            depth += {"{": 1, "}": -1}.get(source[at], 0)
            at += 1
    return at


def _end_of_regex(source: str, at: int) -> int:
    inside = False
    at += 1
    while source[at] != "/" or inside:
        at += source[at] == "\\"
        inside = (inside or source[at] == "[") and source[at] != "]"
        at += 1
    return at + 1
