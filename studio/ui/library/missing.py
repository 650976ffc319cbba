"""The models that a preset names and that are not here: all of them at once, as the page says it."""

from __future__ import annotations

import html

from studio.library.missing import Missing
from studio.ui.errors import on_page


def as_html(absent: list[Missing], can_fetch: bool, can_choose: bool = True) -> str:
    """A list with what can be done about each; scripts act on ``data-`` attributes.

    Args:
        can_choose: whether the rows that name them are on the page, so that another can be chosen.
    """
    if not absent:
        return ""
    lines = "".join(_line(one, can_fetch, can_choose) for one in absent)
    count = "A model is" if len(absent) == 1 else f"{len(absent)} models are"
    return (
        f'<div class="gs-missing" role="status"><b>{count} not in the library</b>'
        f"<ul>{lines}</ul></div>"
    )


def _line(one: Missing, can_fetch: bool, can_choose: bool) -> str:
    name, field = html.escape(one.id), html.escape(one.field)
    place = html.escape(on_page(one.field))
    fetch = (
        f'<button type="button" class="gs-word" data-fetch="{name}" '
        f'aria-label="Download {name}">Download</button>'
        if one.hub and can_fetch
        else ""
    )
    choose = (
        f'<button type="button" class="gs-word" data-choose="{field}" data-lacks="{name}" '
        f'aria-label="Choose another model for {place}">Choose another</button>'
        if can_choose
        else ""
    )
    return f"<li><code>{name}</code> <span>({place})</span> {fetch}{choose}</li>"
