"""What a language needs besides words: forms of what is counted, signs from right to left."""

from __future__ import annotations

import re

from studio.languages import ENGLISH, Language, languages

OTHERS = [one for tag, one in languages().items() if tag != ENGLISH]


def test_words_that_are_counted_stand_behind_a_number(language: Language) -> None:
    categories = {"zero", "one", "two", "few", "many", "other"}  # of Unicode's CLDR
    behind = {
        word for _, said in language.messages for word in re.findall(r"\{\w\}\** (\S+)", said)
    }
    for word, forms in language.counted:
        assert forms and not forms.keys() - categories, word
        assert any(found.startswith(word) for found in behind), word


def test_signs_and_arrows_read_from_right_to_left_too() -> None:
    """Without a mark a sign stands behind its number, and CFG++ begins with what it ends with; an arrow
    between two values leads to the second."""
    minus, plus = r"(?<![\u2068\u2066\u200e\w])−\d", r"\w\+\+(?![\u2069\u200e]| ?[A-Za-z0-9])"
    arrow = r"\S ?→"  # not one that begins the line, at the end of an axis
    for one in OTHERS:
        said = {text: re.sub("`[^`]*`", "", said) for text, said in one.messages}
        wrong = [t for t, line in said.items() if re.search(f"{minus}|{plus}|{arrow}", line)]
        assert one.direction == "ltr" or not wrong
