"""The models that a preset names and that are not here: all of them at once."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

from studio.errors import StudioError
from studio.library import Library
from studio.library.hub import is_hub_id
from studio.preset import ModelRef, Preset
from studio.ui.errors import on_page


@dataclass(frozen=True)
class Missing:
    """``field``: where it is named; ``hub``: whether its name could be one of the hub."""

    field: str
    id: str
    hub: bool


def named(preset: Preset) -> Iterator[tuple[str, str]]:
    """Field and id of every model that the rows which take part name, and the base."""
    yield "base", preset.base
    for index, row in preset.active_rows():
        where = f"rows.{index}"
        if isinstance(row.model, ModelRef):
            ids = [name for name, _ in row.model.adapters()]
            ids += [row.model.model or "", *row.model.embeddings]
        else:
            ids = [row.model or ""]
        yield from ((f"{where}.model", name) for name in ids if name)
        if row.control and row.control.model:
            yield f"{where}.control.model", row.control.model
        if row.image_prompt:
            yield f"{where}.image_prompt.model", row.image_prompt.model


def missing(preset: Preset, library: Library) -> list[Missing]:
    """Those that are neither in the library nor in the hub's cache on this machine."""
    return [
        Missing(field, name, is_hub_id(name))
        for field, name in named(preset)
        if not _here(name, library)
    ]


def _here(name: str, library: Library) -> bool:
    try:
        return bool(library[name].path)  # without a path it is only a name on the hub
    except StudioError:
        return False


def as_html(absent: list[Missing], can_fetch: bool) -> str:
    """A list with what can be done about each; scripts act on ``data-`` attributes."""
    if not absent:
        return ""
    lines = "".join(_line(one, can_fetch) for one in absent)
    count = "A model is" if len(absent) == 1 else f"{len(absent)} models are"
    return (
        f'<div class="gs-missing" role="status"><b>{count} not in the library</b>'
        f"<ul>{lines}</ul></div>"
    )


def _line(one: Missing, can_fetch: bool) -> str:
    name, field = html.escape(one.id), html.escape(one.field)
    place = html.escape(on_page(one.field))
    fetch = (
        f'<button type="button" class="gs-word" data-fetch="{name}" '
        f'aria-label="Download {name}">Download</button>'
        if one.hub and can_fetch
        else ""
    )
    return (
        f"<li><code>{name}</code> <span>({place})</span> {fetch}"
        f'<button type="button" class="gs-word" data-choose="{field}" '
        f'aria-label="Choose another model for {place}">Choose another</button></li>'
    )
