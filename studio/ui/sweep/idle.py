"""What an axis of a sweep changes nothing with, and what is to be known of its styles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from studio.errors import StudioError, shorten
from studio.preset import Init, Preset
from studio.preset.prompt_search import PROMPTS, takes_part
from studio.preset.style_axis import STYLE, style_notes
from studio.preset.sweep import Axis, changed
from studio.ui.errors import on_page
from studio.ui.form import to_values
from studio.ui.idle import idle
from studio.ui.schema import leaves
from studio.ui.unused import unused_fields

_NO_MASK = "changes nothing, the start picture has no mask"
# Of a picture to start from: what makes a field of it be read, and what is said where that is not so.
READ: dict[str, tuple[tuple[Callable[[Init], bool], str], ...]] = {
    "init.under_mask": (
        (lambda init: bool(init.mask), _NO_MASK),
        (
            lambda init: init.strength < 1,
            "hardly shows, at strength 1 the masked part begins as noise",
        ),
    ),
    "init.keep_pixels": ((lambda init: bool(init.mask), _NO_MASK),),
    "init.feather": (
        (lambda init: bool(init.mask), _NO_MASK),
        (
            lambda init: init.keep_pixels or init.soft_inpainting,
            "changes nothing, the picture's own pixels are not kept",
        ),
    ),
    "init.padding": (
        (lambda init: bool(init.mask), _NO_MASK),
        (lambda init: init.framed, "changes nothing, all of the picture is painted on"),
    ),
    "init.soft_inpainting": ((lambda init: bool(init.mask), _NO_MASK),),
}


def idle_axes(preset: Preset, axes: Sequence[Axis]) -> tuple[str, ...]:
    """What is varied and changes nothing, as the form says of its fields and rows."""
    ends = [changed(preset, axes, [one.values[at] for one in axes]) for at in (0, -1)]
    reasons = [{**_unread(one), **idle(one)} for one in ends]
    taking = {index for one in ends for index, _ in one.active_rows()}
    found = []
    for name in (axis.field for axis in axes):
        row = re.fullmatch(r"rows\.(\d+)\.(?!enabled|solo)(.+)", name)
        if row and int(row[1]) not in taking:
            found.append(on_page(f"{name}: changes nothing, the row takes no part"))
        elif name == "sampler.variation_seed" and not any(
            one.sampler.variation_strength for one in ends
        ):
            found.append(on_page(f"{name}: changes nothing, the variation strength is 0"))
        elif why := _unread_start([one.init for one in ends], name):
            found.append(on_page(f"{name}: {why}"))
        elif all(name in one for one in reasons):
            why = next(filter(None, (one[name] for one in reasons)), "")
            found += [on_page(f"{name}: {why}")] if why else []
    return (*found, *_idle_texts(preset, axes))


def _unread(preset: Preset) -> dict[str, str]:
    """Fields that nothing reads, by their paths; without a reason where one is as it is by default."""
    unread = unused_fields(to_values(preset))
    return {leaves()[name]["path"]: why or "" for name, why in unread.items()}


def _idle_texts(preset: Preset, axes: Sequence[Axis]) -> Iterator[str]:
    """The texts that are searched, and stand in no row that takes part."""
    fields = [axis for axis in axes if axis.field != PROMPTS]
    ends = [changed(preset, fields, [one.values[at] for one in fields]) for at in (0, -1)]
    for axis in axes:
        searched = axis.values[0]
        if axis.field == PROMPTS and not any(takes_part(one, searched) for one in ends):
            yield f"{shorten(searched)}: changes nothing, no row that holds it takes part"


def _unread_start(ends: Sequence[Init | None], name: str) -> str:
    """Why a field of the picture to start from is not read at either end; "" where it is."""
    for reads, why in READ.get(name, ()):
        if not any(init and reads(init) for init in ends):
            return why
    return ""


def style_lines(preset: Preset, axes: Sequence[Axis]) -> list[str]:
    """What is to be known of the axes' styles, over what the other axes leave first and last."""
    others = [axis for axis in axes if axis.field != STYLE]
    found: dict[str, None] = {}
    for at in (0, -1):
        try:
            made = changed(preset, others, [one.values[at] for one in others])
            for axis in axes:
                if axis.field == STYLE:
                    found |= dict.fromkeys(style_notes(made, axis.values, axis.styles))
        except StudioError:  # which is said of the axis itself
            continue
    return [on_page(note) for note in found]
