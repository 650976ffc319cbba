"""Rows that take turns along the denoising, as one prompt whose control begins late or ends early."""

from __future__ import annotations

from collections.abc import Sequence

from studio.preset import Row

ASIDE = ("control", "controls", "image_prompt", "range")  # what such rows differ in


def leading(rows: Sequence[tuple[int, Row]]) -> list[tuple[int, Row]]:
    """Rows with a prompt, those left out that only go on with an earlier one in another part of the
    denoising: together they pull as one does that acts all along."""
    found: list[tuple[int, Row]] = []
    spans: list[list[tuple[float, float]]] = []
    for index, row in rows:
        if not row.prompt:
            continue
        said = _said(row)
        for (_, first), span in zip(found, spans, strict=True):
            if _said(first) == said and _fits(row.range, span):
                span.append(row.range)
                break
        else:
            found.append((index, row))
            spans.append([row.range])
    return found


def _said(row: Row) -> Row:
    plain = {name: Row.model_fields[name].get_default() for name in ASIDE}
    return row.model_copy(update=plain)


def _fits(span: tuple[float, float], others: Sequence[tuple[float, float]]) -> bool:
    """Whether a part of the denoising lies beside the others, none of it within one."""
    return all(span[1] <= first or last <= span[0] for first, last in others)
