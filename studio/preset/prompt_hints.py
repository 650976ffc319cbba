"""What people type from habit and that means nothing here: a hint for each, on the page and elsewhere.

A record is a pattern that Python and JavaScript read alike, and one line that says where the thing
is instead. The page is served the same table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from studio.extensions import Table


@dataclass(frozen=True)
class Hint:
    """``pattern``: of what was typed, whatever its case; ``text``: what to do; ``finished``: whether
    it holds of a text that nobody is typing at any more alone."""

    pattern: str
    text: str
    finished: bool = False


# A letter or digit of any script: \w is one of ASCII alone in JavaScript, and \p is none in Python.
_LETTER = r"\w\u00aa-\u1fff\u2c00-\u2dff\u3005-\ud7ff\uf900-\ufdff\ufe70-\ufeff"
HINTS: Table[Hint] = Table("hint on a prompt")
for _name, _hint in {
    "lora": Hint(
        r"<(?:lora|lyco):[^<>]{1,300}>",
        "<lora:…> is read as plain words here: choose the LoRA in the row's model list",
    ),
    "hypernetwork": Hint(
        r"<hypernet:[^<>]{1,300}>", "hypernetworks are not run here; <hypernet:…> is plain words"
    ),
    "tag": Hint(
        r"<(?:segment|object|region|clear|extend|refiner|base|video|videoswap|pixeldecoder|wildcard|wc"
        r"|random|setvar|var|param|preset|p(?=[:\[])|alternate|alt|fromto|repeat|comment|break|trigger"
        r"|embed|embedding|setmacro|macro)"
        r"(?:\[[^\[\]]{0,200}\])?[:>]",
        "SwarmUI's tags are read as plain words here: {a|b} and __file__ choose, rows have masks "
        "and ranges",
    ),
    "embedding": Hint(
        r"\bembedding:\w",
        "embedding:name is read as plain words here: choose the embedding in the row's model and "
        "write its word",
    ),
    "compel": Hint(
        r"\w(?<![Dd][Pp][Mm])(?:\+\+|--)(?=[\s,.)]|$)|\)(?:\+{1,9}|\d\.\d{1,6})",
        "InvokeAI's weights (word++, (words)1.2) are read as plain text here: write (words:1.2)",
    ),
    "numbered": Hint(
        r"(?:^|[\s,])-?\d{1,3}(?:\.\d{1,6})?::(?!\|)",
        "NovelAI's weights (1.2::words::) are read as plain text here: write (words:1.2)",
    ),
    "braces": Hint(
        r"(?:^|[^\\$])\{(?!prompt\})[^{}|$]{1,400}\}",
        "{word} weighs nothing here: write (word:1.05); {a|b} is one of the two",
    ),
    "place": Hint(
        r"(?:^|[^\\])\{prompt\}",
        "{prompt} takes in a row's own text once this is kept as a style; as it is, it is plain words",
    ),
    "unclosed": Hint(
        r"(?:^|[^\\])\{[^{}|]{0,400}\|[^{}]{0,4000}$",
        "a brace is never closed, so nothing is chosen: {a|b} is one of the two",
        finished=True,
    ),
    "wildcard": Hint(
        rf"(?<![\\{_LETTER}])__[{_LETTER}](?:[{_LETTER}/*.-](?<!__)){{0,100}} [^_\n]{{0,100}}"
        rf"(?<=[{_LETTER}])__(?![{_LETTER}])",
        "a wildcard's name has no blanks, so this is read as plain words: give its file a name "
        "without one",
    ),
    "flags": Hint(
        r"(?:^|\s)--(?:ar|v|niji|style|s|stylize|q|chaos|c|no|seed|iw|weird|tile|neg|steps|cfg)\b",
        "flags such as --ar are read as plain words here: size, seed and steps are fields, a "
        "negative prompt is a row of negative weight",
    ),
    "comment": Hint(
        r"(?:^|\s)#\s",
        "a prompt has no comments here: what follows # is read as words",
    ),
    "negative": Hint(
        r"\bnegative prompt\s*:",
        "a negative prompt is a row of its own here, of negative weight",
    ),
    "late": Hint(
        r"\[[^\[\]]{0,400}:\s*(?:[1-9]\d{0,3}\.\d{1,6})\s*\]",
        "[word:1.2] begins at a part of the steps, and there is none beyond 1: write (word:1.2) to "
        "weigh it",
    ),
}.items():
    HINTS.register(_name, _hint)


@lru_cache(maxsize=1024)
def hints(prompt: str) -> tuple[str, ...]:
    """One line for each habit that ``prompt`` shows and that is read as plain text."""
    return tuple(
        hint.text for hint in HINTS.values() if re.search(hint.pattern, prompt, re.IGNORECASE)
    )


def served() -> list[tuple[str, str, bool]]:
    """Pattern and text of every hint, for the page, and whether it is of a finished text alone."""
    return [(hint.pattern, hint.text, hint.finished) for hint in HINTS.values()]
