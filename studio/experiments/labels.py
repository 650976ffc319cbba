"""Labels of many values: of long texts what tells them apart."""

from __future__ import annotations

from collections.abc import Sequence

LONG = 20  # characters that a label has room for


def apart(texts: Sequence[str]) -> list[str]:
    """Each text without the words with which all of them begin and end, which "…" stands for; as they
    are where all are short. The page's grid says the same (``sweep/axes.js``)."""
    if len(texts) < 2 or max(map(len, texts)) <= LONG:
        return list(texts)
    words = [text.split(" ") for text in texts]
    room = min(map(len, words)) - 1  # a word of each stays
    before = _alike(words, room)
    behind = _alike([one[::-1] for one in words], room - before)
    kept = [" ".join(one[before : len(one) - behind]) for one in words]
    return [f"{'… ' if before else ''}{one}{' …' if behind else ''}" for one in kept]


def _alike(words: Sequence[Sequence[str]], most: int) -> int:
    """With how many words all begin alike."""
    count = 0
    while count < most and len({one[count] for one in words}) == 1:
        count += 1
    return count
