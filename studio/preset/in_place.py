"""Prompts of a later pass that take the place of those of rows."""

from __future__ import annotations

from collections.abc import Sequence

from studio.errors import BadPreset
from studio.preset.rows import Row


def asking(
    prompt: str, rows: Sequence[tuple[int, Row]], field: str, away: bool = False
) -> list[int]:
    """The rows whose prompt ``prompt`` takes the place of: that of the first that pulls towards one, and
    of the same in other rows; none where ``prompt`` is empty.

    Args:
        rows: those that take part, with their numbers. away: of those that push away from one.

    Raises:
        BadPreset: there is no such row; names ``field``.
    """
    if not prompt:
        return []
    sign = -1 if away else 1
    first = next((row.prompt for _, row in rows if row.weight * sign > 0 and row.prompt), None)
    if first is None:
        none = "takes the place of a prompt, and no row pulls towards one"
        none_away = "takes the place of a prompt, and no row pushes away from one"
        raise BadPreset(none_away if away else none, field=field)
    return [index for index, row in rows if row.prompt == first]
