"""Rows at one moment of the denoising: which of them act, and what their texts are then."""

from __future__ import annotations

from studio.preset import Preset, PromptReference, Row
from studio.preset.prompt_changes import text_at

# A trailing schedule rounds its time steps to integers, half a thousandth of the way.
RANGE_TOLERANCE = 6e-4


def step_numbers(preset: Preset, evaluations: int) -> list[int]:
    """For each evaluation of the networks, which step of the whole denoising it belongs to.

    A solver may ask several times in one step; its questions are shared out evenly.
    """
    first, total = preset.first_step, preset.sampler.steps
    return [first + index * (total - first) // evaluations for index in range(evaluations)]


def texts_of(row: Row) -> tuple[str, ...]:
    """The texts of a row: its prompt, and its reference's where that is a text."""
    other = row.reference.prompt if isinstance(row.reference, PromptReference) else ""
    return row.prompt, other


def row_at(row: Row, step: int, steps: int) -> Row:
    """A row with its texts as they are at one step."""
    given = texts_of(row)
    texts = tuple(text_at(text, step, steps) for text in given)
    if texts == given:
        return row
    update: dict[str, object] = {"prompt": texts[0]}
    if isinstance(row.reference, PromptReference):
        update["reference"] = PromptReference(prompt=texts[1])
    return row.model_copy(update=update)


def in_range(row: Row, now: float) -> bool:
    """Whether a row acts at progress ``now``."""
    start, end = row.range
    return start - RANGE_TOLERANCE <= now and (end == 1.0 or now < end - RANGE_TOLERANCE)
