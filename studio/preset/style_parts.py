"""What of a preset is kept as a style: a text for, a text against, and the rows beside them; and whether
one stands in a preset."""

from __future__ import annotations

import re

from studio.errors import shorten
from studio.preset.document import Preset
from studio.preset.prompts import joined, split_prompt
from studio.preset.rows import Row
from studio.preset.styles import PLACE, Style, negative_of, takers


def texts_of(preset: Preset) -> tuple[str, str]:
    """What a preset's prompts are as a style: its first text of positive weight, and of negative."""
    return (_text(preset, 1), _text(preset, -1))


def rows_beside(preset: Preset) -> tuple[Row, ...]:
    """The rows that take part and whose texts are not in :func:`texts_of`, as a style adds them."""
    own = {_place(preset, 1), _place(preset, -1)}
    return tuple(row for index, row in preset.active_rows() if index not in own)


def not_kept(preset: Preset) -> str:
    """Which rows' texts :func:`texts_of` leaves out, in one line; "" for none."""
    taken = texts_of(preset)
    left = [
        str(index + 1)
        for index, row in enumerate(preset.rows)
        if row.prompt.strip() and row.prompt not in taken
    ]
    if len(left) == 1:
        return f"A style has one text for and one against: not in it is the text of row {left[0]}"
    return (
        f"A style has one text for and one against: not in it are the texts of rows {', '.join(left)}"
        if left
        else ""
    )


def left_out(preset: Preset, style: Style) -> str:
    """What :func:`studio.preset.styles.with_style` leaves out of a style on this preset, in one line; "" for
    nothing."""
    first = next((row for row in preset.rows if row.weight > 0), None)
    takes = negative_of(preset.rows) >= 0 or (first is not None and first.weight > 1)
    if not style.negative or takes:
        return ""
    return (
        f"style {shorten(style.name)}: its negative text {shorten(style.negative)} is left out; no row "
        "has a weight below 0, and the first of a weight above 0 has at most 1"
    )


def _place(preset: Preset, sign: int) -> int:
    """The first row of that sign that has a text; -1 for none."""
    texts = (i for i, row in preset.active_rows() if row.prompt.strip() and row.weight * sign > 0)
    return next(texts, -1)


def _text(preset: Preset, sign: int) -> str:
    place = _place(preset, sign)
    return preset.rows[place].prompt if place >= 0 else ""


def stands_in(preset: Preset, style: Style) -> bool:
    """Whether a style's text stands already in each row that it would be laid over."""
    texts = [split_prompt(preset.rows[index].prompt)[0][0] for index in takers(preset.rows)]
    return bool(style.prompt and texts) and all(_around(text, style.prompt) for text in texts)


def _around(text: str, style: str) -> bool:
    """Whether a text begins and ends as the style's does around the prompt, or after it."""
    before, place, after = style.partition(PLACE)
    if not place:
        before, after = "", style
    within = len(text) >= len(before) + len(after) and bool(before.strip() or after.strip())
    return within and text.startswith(before) and text.rstrip().endswith(after.rstrip())


def text_stands_in(prompt: str, style: str) -> bool:
    """Whether a style's text stands in the first part of a prompt as
    :func:`studio.preset.styles.with_style` adds it: whole, between commas or the part's ends, also where
    others came after it.

    Args:
        style: without tags.
    """
    return _found(split_prompt(prompt)[0][0], style) is not None


def text_taken_out(prompt: str, style: str) -> str:
    """A prompt in which a style's text stands (:func:`text_stands_in`), without it; the rest stays as it is
    written."""
    (text, weight), *others = split_prompt(prompt)
    found = _found(text, style)
    if found is None:
        return prompt
    if found["kept"]:
        between = found["kept"] + found["after"]
    else:  # of two commas one stays
        between = "," if found["before"] and found["after"] else ""
    left = text[: found.start()] + between + text[found.end() :]
    return joined([(left.strip(), weight), *others])


def _found(text: str, style: str) -> re.Match[str] | None:
    """Where a style's text stands last; ``kept`` is what it stands around, from the text's own begin."""
    before, place, after = style.partition(PLACE)
    if not place:
        around = rf"(?P<before>^|,)\s*{re.escape(before.strip())}(?P<kept>)"
    else:
        begins = re.escape(before.strip()) + (
            r"\s+" if before.strip() and before[-1:].isspace() else ""
        )
        ends = (r"\s+" if after.strip() and after[:1].isspace() else "") + re.escape(after.strip())
        around = rf"(?P<before>^)\s*{begins}(?P<kept>.*){ends}"
    every = re.finditer(rf"{around}\s*(?P<after>,|$)", text, re.DOTALL)
    return next(reversed(list(every)), None)
