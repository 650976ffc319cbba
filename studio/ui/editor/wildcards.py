"""The wildcards that prompts are completed with, and those that are written on the page."""

from __future__ import annotations

from typing import Any

from studio.errors import StudioError
from studio.preset import variants, wildcard_files
from studio.preset.sweep import MAX_CELLS
from studio.ui.errors import one_line
from studio.ui.sweep.asked import MOST_TEXT

MOST = 5000


def wildcard_names(_: Any) -> dict[str, list[str]]:
    """Those that there are now (called from the script, which sends an empty object).

    Returns:
        ``{"names": […]}``: none where they cannot be read, which a prompt that names one says.
    """
    try:
        return {"names": variants.names()[:MOST]}
    except (StudioError, OSError):
        return {"names": []}


def prompt_choices(asked: Any) -> dict[str, Any]:
    """Every text that one prompt can become by its choices (called from the script): ``prompt``. As many
    as a sweep has pictures, of as many characters as one of its axes.

    Returns:
        ``{"texts": […]}``, or ``{"error": …}``.
    """
    try:
        prompt = _given(asked, "prompt")
        return {"texts": variants.every_text(prompt, MAX_CELLS, letters=MOST_TEXT)}
    except StudioError as error:
        return {"error": one_line(error)}


def wildcard_text(asked: Any) -> dict[str, str]:
    """The choices of one (called from the script): ``name``.

    Returns:
        ``{"text": …}``, "" where there is none yet, or ``{"error": …}``.
    """
    try:
        return {"text": wildcard_files.text_of(_given(asked, "name"))}
    except StudioError as error:
        return {"error": one_line(error)}


def wildcard_keep(asked: Any) -> dict[str, Any]:
    """Write the choices of one (called from the script): ``name``, ``text`` and, where it was read
    before, the text that it had.

    Returns:
        ``{"count": …}`` of its choices, or ``{"error": …}``.
    """
    try:
        name, text = _given(asked, "name"), _given(asked, "text")
        before = _given(asked, "before") if "before" in asked else None
        return {"count": wildcard_files.keep(name, text, before)}
    except StudioError as error:
        return {"error": one_line(error)}


def _given(asked: Any, name: str) -> str:
    return str(asked.get(name, "")) if isinstance(asked, dict) else ""
