"""Styles and saved prompts on the page: their cards, one laid over the form, the form's kept as one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studio.errors import BadPreset, StudioError
from studio.preset import Preset
from studio.preset.own_styles import delete_style, edit_style, is_own, take_styles
from studio.preset.style_axis import can_vary
from studio.preset.style_parts import not_kept, rows_beside, texts_of
from studio.preset.styles import PLACE, Style, find, save_style, styles
from studio.share.styled import styled
from studio.share.unstyled import left_of, unstyled
from studio.ui.errors import on_page, one_line
from studio.ui.library.models import library
from studio.ui.space import Limits

MOST_AT_ONCE = 50


def cards(limits: Limits) -> dict[str, Any]:
    """The value of the cards; one that cannot be used says why. On a shared page none is one's own."""
    return {"items": [_card(style, not limits.shared) for style in styles()]}


def _said(style: Style) -> str:
    rows = f"{len(style.rows)} row{'s' * (len(style.rows) != 1)}" if style.rows else ""
    negative = f"not: {style.negative}" if style.negative else ""
    return " · ".join(filter(None, (style.prompt, negative, rows)))[:300]


def _card(style: Style, ours: bool) -> dict[str, Any]:
    tag = "cannot be used" if style.problem else ""
    text = on_page(style.problem) or _said(style)
    prompt = " ".join(style.prompt.replace(PLACE, " ").split()).strip(", ")
    named = {"id": style.name, "title": style.name, "what": "style", "prompt": prompt}
    own = ours and is_own(style)
    texts = {"texts": {"prompt": style.prompt, "negative": style.negative}} if own else {}
    return {
        **named,
        "text": text,
        "tag": tag,
        "own": own,
        "problem": bool(style.problem),
        "varies": can_vary(style),
        **texts,
    }


def laid_over(preset: Preset, names: Sequence[str]) -> tuple[Preset, list[str]]:
    """The preset with the styles of these names, one after another, and notes on what of them has no
    place there. Of several, those that cannot be used are notes too.

    Raises:
        StudioError: of the only one, as :func:`studio.preset.styles.find` and
            :func:`studio.share.styled.styled`.
    """
    if len(names) > MOST_AT_ONCE:
        raise StudioError(f"at most {MOST_AT_ONCE}, got {len(names)}", field="styles")
    notes: list[str] = []
    for name in names:
        try:
            preset, said = styled(preset, find(name), library())
        except StudioError as error:
            if len(names) == 1:
                raise
            said = [f"{name}: {error}"]
        notes += said
    return preset, notes


def lies_over(preset: Preset, name: str) -> bool:
    """Whether anything of the style of this name can be taken off the preset."""
    try:
        unstyled(preset, find(name), library())
    except StudioError:
        return False
    return True


def taken_off(preset: Preset, name: str) -> tuple[Preset, list[str]]:
    """The preset without the style of this name, and notes on what stays.

    Raises:
        StudioError: as :func:`studio.preset.styles.find` and :func:`studio.share.unstyled.unstyled`.
    """
    style = find(name)
    left = unstyled(preset, style, library())
    notes = left_of(left, style, library())
    if "<lora:" in style.prompt and left.omega == 1:
        notes.append("omega: stays at 1; laying a style with a LoRA over the rows may have set it")
    return left, notes


def keep(preset: Preset, limits: Limits, with_rows: bool = False) -> str:
    """Keep the prompts of a preset under its name; says so, and which of them are not in it.

    Args:
        with_rows: its other rows too, which the style then adds.

    Raises:
        BadPreset: it has no name or no text, the name is taken, or this page is shared.
    """
    _only_ours(limits)
    rows = rows_beside(preset) if with_rows else ()
    save_style(preset.name, *texts_of(preset), rows)
    if with_rows:
        count = f"{len(rows)} row{'s' * (len(rows) != 1)}"
        return f"Kept as {preset.name}" + (f". It adds {count}" if rows else "")
    return ". ".join(filter(None, (f"Kept as {preset.name}", not_kept(preset))))


def take(path: Path, limits: Limits) -> tuple[str, list[str]]:
    """Keep the styles of a file; what was taken in one line, and what was not.

    Raises:
        BadPreset: none can be used, or this page is shared.
    """
    _only_ours(limits)
    found, notes = take_styles(path)
    first = ", ".join(style.name for style in found[:3]) + (" …" if len(found) > 3 else "")
    they = "they stand" if len(found) != 1 else "it stands"
    where = f"{they} below the presets, and typed in a prompt a name completes"
    return f"{len(found)} style{'s' * (len(found) != 1)} taken: {first}; {where}", notes


def style_words(asked: Any) -> dict[str, Any]:
    """Give a style of one's own, the ``id``, another ``name``, ``prompt`` and ``negative`` text (called from
    the script), where it still has the texts ``before``.

    Returns:
        ``{"kept": True}``, or ``{"error": …}``.
    """
    given = asked if isinstance(asked, dict) else {}
    name, prompt, negative = (
        str(given.get(field) or "") for field in ("name", "prompt", "negative")
    )
    before = given.get("before")
    before = before if isinstance(before, dict) else None
    try:
        edit_style(str(given.get("id")), name, prompt, negative, before)
    except StudioError as error:
        # It is no preset's, which the page calls the field of a name.
        named = BadPreset(error.message, field="style") if error.field == "name" else error
        return {"error": one_line(named)}
    return {"kept": True}


def delete(name: str, limits: Limits) -> tuple[str, str]:
    """Remove a style of one's own; returns its name, and what brings it back.

    Raises:
        StudioError: as :func:`studio.preset.own_styles.delete_style`, or this page is shared.
    """
    _only_ours(limits)
    return delete_style(name)


def _only_ours(limits: Limits) -> None:
    if limits.shared:
        raise BadPreset(
            "this page is shared and keeps none; download a preset instead", field="styles"
        )
