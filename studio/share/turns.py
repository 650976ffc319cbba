"""Rows that take turns along the denoising, as one prompt whose control begins late or ends early."""

from __future__ import annotations

from collections.abc import Sequence

from studio.preset import Row

ASIDE = ("control", "controls", "image_prompt", "range")  # what such rows differ in


def only_controls(row: Row) -> bool:
    """Whether a row is the empty prompt beside control images, as a picture without a negative prompt
    has it in the web UIs."""
    plain = Row(control=row.control, controls=row.controls, weight=row.weight, range=row.range)
    return row.weight < 0 and row.control is not None and row == plain


def is_said(row: Row) -> bool:
    """Whether the web UIs' text has a row: one with a prompt, or :func:`only_controls`."""
    return bool(row.prompt) or only_controls(row)


def leading(rows: Sequence[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Rows of which :func:`is_said`, those left out that only go on with an earlier one in another part
    of the denoising: together they pull as one does that acts all along."""
    return [turns[0] for turns in _turns(rows)]


def all_along(rows: Sequence[tuple[int, Row]]) -> set[int]:
    """The numbers of rows that act at all times together with those that they take turns with, and
    differ from them in control images alone."""
    found = set()
    for turns in _turns(rows):
        length = sum(row.range[1] - row.range[0] for _, row in turns)
        pictures = [row.image_prompt for _, row in turns]
        if abs(length - 1.0) < 1e-9 and pictures.count(pictures[0]) == len(pictures):
            found |= {index for index, _ in turns}
    return found


def _turns(rows: Sequence[tuple[int, Row]]) -> list[list[tuple[int, Row]]]:
    found: list[list[tuple[int, Row]]] = []
    for index, row in rows:
        if not is_said(row):
            continue
        said = _said(row)
        alike = (turns for turns in found if _said(turns[0][1]) == said)
        own = next((turns for turns in alike if _fits(row, [one for _, one in turns])), None)
        if own is None:
            found.append([(index, row)])
        else:
            own.append((index, row))
    return found


def _said(row: Row) -> Row:
    plain = {name: Row.model_fields[name].get_default() for name in ASIDE}
    return row.model_copy(update=plain)


def _fits(row: Row, others: Sequence[Row]) -> bool:
    """Whether its part of the denoising lies beside the others', none of it within one."""
    start, end = row.range
    return all(end <= one.range[0] or one.range[1] <= start for one in others)
