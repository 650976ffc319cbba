"""The settings: shown as they are now, changed by the owner of a local page."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.settings import SETTINGS
from studio.ui.errors import guarded, on_page
from studio.ui.layout import Parts
from studio.ui.settings import view
from studio.ui.space import Limits
from studio.ui.widgets import EACH, stamped


def attach(parts: Parts, limits: Limits) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""
    own, heard = parts.settings, parts.signals["preferences"]
    if own is None:
        return
    begun = view.at_start()
    opening = "() => { window.studio.openSettings(); return []; }"
    parts.open_settings.click(None, None, None, js=opening)

    def asked() -> dict[str, Any]:
        return view.shown(limits, begun)

    def answered(name: Any, value: Any) -> list[Any]:
        refused = None
        try:
            view.changed(name, value, limits)
        except StudioError as error:
            refused = (str(name), value, error.message)  # a toast would lie behind the dialog
        return [view.shown(limits, begun, refused) | {"answers": str(name)}, preferences(limits)]

    def edited(event: gr.EventData) -> list[Any]:
        return answered(event.name, event.value)

    def reset(event: gr.EventData) -> list[Any]:
        return answered(event.name, None)

    # Each answers with all of them.
    one_by_one = {**EACH, "concurrency_id": "settings", "concurrency_limit": 1}
    own.select(guarded(asked), None, own, **one_by_one)
    own.edit(guarded(edited, in_words), None, [own, heard], **one_by_one)
    own.delete(guarded(reset, in_words), None, [own, heard], **one_by_one)


def in_words(text: str) -> str:
    """A line in which settings have their names of the dialog."""
    return on_page(text, {one.name: one.title for one in SETTINGS.values()})


def preferences(limits: Limits) -> dict[str, Any]:
    """What the signal to the page's scripts says now."""
    return stamped(view.preferences(limits.shared))
