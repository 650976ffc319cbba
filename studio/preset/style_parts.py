"""What of a preset is kept as a style: a text for, a text against, and the rows beside them."""

from __future__ import annotations

from studio.preset.document import Preset
from studio.preset.rows import Row


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
    return (
        f"A style has one text for and one against: not in it are the texts of rows {', '.join(left)}"
        if left
        else ""
    )


def _place(preset: Preset, sign: int) -> int:
    """The first row of that sign that has a text; -1 for none."""
    texts = (i for i, row in preset.active_rows() if row.prompt.strip() and row.weight * sign > 0)
    return next(texts, -1)


def _text(preset: Preset, sign: int) -> str:
    place = _place(preset, sign)
    return preset.rows[place].prompt if place >= 0 else ""
