"""Prompts of a later pass that take the place of those of rows."""

from __future__ import annotations

from collections.abc import Sequence

from studio.errors import BadPreset
from studio.preset.rows import Row


def asking(
    prompt: str,
    rows: Sequence[tuple[int, Row]],
    field: str,
    away: bool = False,
    scaled: bool = False,
) -> list[int]:
    """The rows whose prompt ``prompt`` takes the place of: that of the first that pulls towards one, and
    of the same in other rows; none where ``prompt`` is empty.

    Args:
        rows: those that take part, with their numbers. away: of those that push away from one.
        scaled: whether the pass has a scale of its own, under which one of weight 0 may push too.

    Raises:
        BadPreset: there is no such row; names ``field``.
    """
    if not prompt:
        return []
    asked = [row for _, row in rows if row.prompt]
    found = [row.prompt for row in asked if (row.weight < 0 if away else row.weight > 0)]
    if away and scaled and not found:
        found = [row.prompt for row in asked if row.weight == 0]
    if not found:
        none = "takes the place of a prompt, and no row pulls towards one"
        none_away = "takes the place of a prompt, and no row pushes away from one"
        raise BadPreset(none_away if away else none, field=field)
    return [index for index, row in rows if row.prompt == found[0]]
