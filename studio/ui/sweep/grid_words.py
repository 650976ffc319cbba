"""What a sweep's grid says of its axes: the page's own names of fields and values."""

from __future__ import annotations

from studio.experiments.grid import said_of
from studio.preset.prompt_search import PROMPTS
from studio.preset.prompt_search import TITLE as PROMPTS_TITLE
from studio.preset.scale import SCALE
from studio.preset.scale import TITLE as SCALE_TITLE
from studio.preset.style_axis import STYLE
from studio.preset.style_axis import TITLE as STYLE_TITLE
from studio.preset.sweep import Axis
from studio.ui.errors import on_page
from studio.ui.schema import titles

TITLES = {PROMPTS: PROMPTS_TITLE, STYLE: STYLE_TITLE, SCALE: SCALE_TITLE}


def in_page_words(axis: Axis) -> tuple[str, list[str]]:
    """What an axis is called, and each of its values."""
    called = titles().get(axis.field, {})
    shown = [called.get(value) if isinstance(value, str) else None for value in axis.values]
    texts = [text or said_of(axis, value) for text, value in zip(shown, axis.values, strict=True)]
    return _name(axis.field), texts


def _name(field: str) -> str:
    """As the list of fields has it, without what explains it in brackets."""
    if field in TITLES:
        return TITLES[field].partition(" (")[0]
    return on_page(f"{field}: ").rpartition(":")[0]
