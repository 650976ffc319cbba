"""Styles and saved prompts on the page: their cards, one laid over the form, the form's kept as one."""

from __future__ import annotations

from typing import Any

from studio.errors import BadPreset
from studio.preset import Preset
from studio.preset.styles import find, left_out, save_style, styles, texts_of, with_style
from studio.ui.space import Limits


def cards() -> dict[str, Any]:
    """The value of the cards; one that cannot be used says why."""
    return {"items": [_card(style.name, style.problem, _said(style)) for style in styles()]}


def _said(style: Any) -> str:
    rows = f"{len(style.rows)} row{'s' * (len(style.rows) != 1)}" if style.rows else ""
    negative = f"not: {style.negative}" if style.negative else ""
    return " · ".join(filter(None, (style.prompt, negative, rows)))[:300]


def _card(name: str, problem: str, said: str) -> dict[str, Any]:
    tag = "cannot be used" if problem else ""
    return {"id": name, "title": name, "text": problem or said, "tag": tag, "own": False}


def laid_over(preset: Preset, name: str) -> tuple[Preset, list[str]]:
    """The preset with the style of that name, and notes on what of it has no place there.

    Raises:
        StudioError: as :func:`studio.preset.styles.find` and :func:`studio.preset.styles.with_style`.
    """
    style = find(name)
    return with_style(preset, style), [note for note in [left_out(preset, style)] if note]


def keep(preset: Preset, limits: Limits) -> str:
    """Keep the prompts of a preset under its name, which is returned.

    Raises:
        BadPreset: it has no name or no text, the name is taken, or this page is shared.
    """
    if limits.shared:
        raise BadPreset("this page is shared; download the JSON instead", field="save")
    save_style(preset.name, *texts_of(preset))
    return preset.name
