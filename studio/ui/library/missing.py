"""The models that a preset names and that are not here: all of them at once, as the page says it."""

from __future__ import annotations

import html

from studio.library.missing import Missing
from studio.ui.errors import on_page
from studio.ui.schema import labels

# Fields that may be empty, and what is taken then.
_WITHOUT = {
    "vae": "Use the base's own",
    "refiner.model": "Let the base finish it",
    "second_pass.model": "Let the base make it",
    "second_pass.upscaler": "Enlarge without one",
}


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
    name, field, holder = (html.escape(text) for text in (one.id, one.field, one.hub))
    place = html.escape(labels().get(one.field) or on_page(one.field))
    # Of one file of a repository it is said first what else would come, and how much.
    does = "Download" if one.hub == one.id else "Look up"
    fetch = (
        f'<button type="button" class="gs-word" data-fetch="{holder}" data-does="{does}" '
        f'aria-label="{does} {holder}">{does}</button>'
        if one.hub and can_fetch
        else ""
    )
    choose = ""
    if can_choose and one.field in _WITHOUT:
        said = html.escape(_WITHOUT[one.field], quote=False)
        choose = f'<button type="button" class="gs-word" data-blank="{field}">{said}</button>'
    elif can_choose and one.field != "init.upscaler":  # which stands in no list
        choose = (
            f'<button type="button" class="gs-word" data-choose="{field}" data-lacks="{name}" '
            f'aria-label="Choose another model for {place}">Choose another</button>'
        )
    return f"<li><code>{name}</code> <span>(<span>{place}</span>)</span> {fetch}{choose}</li>"
