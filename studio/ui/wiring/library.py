"""The Models tab, and the lists of models elsewhere that follow it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.ui.errors import guarded
from studio.ui.layout import Parts
from studio.ui.library import base_choice, folders, merge, models, previews, residence
from studio.ui.space import Limits
from studio.ui.widgets import IN_TURN, QUIET


def attach(parts: Parts, limits: Limits) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""
    lists = [parts.form["base"], *([parts.train.fields["base"]] if parts.train else [])]

    def choices(*chosen: str) -> dict[Any, Any]:
        return {
            component: gr.update(choices=models.bases(base))
            for component, base in zip(lists, chosen, strict=True)
        }

    parts.signals["models"].change(guarded(choices), lists, lists, **QUIET)
    if not limits.shared:  # visitors of a shared page need not know what others have loaded
        parts.models_tab.select(guarded(residence.table), None, parts.loaded, queue=False, **QUIET)
        parts.free.click(guarded(residence.freed), None, parts.loaded, queue=False, **QUIET)

    def rescanned() -> list[Any]:
        models.rescan()
        return listed(limits)

    parts.rescan.click(guarded(rescanned), None, shown(parts), **QUIET)
    parts.signals["models"].submit(  # where another tab has found others
        guarded(lambda: listed(limits)), None, shown(parts), **IN_TURN
    )
    folders.attach(parts.folders, shown(parts), rescanned)
    merge.attach(parts.merge, parts.form, shown(parts), parts.signals["models"], limits)
    previews.attach(parts.previews, parts.signals["previews"])
    base_choice.attach(parts.base_choice, parts.form["base"], parts.signals["base"])


def shown(parts: Parts) -> list[Any]:
    """The components that show the library."""
    return [parts.signals["models"], parts.models]


def listed(limits: Limits) -> list[Any]:
    """What :func:`shown` shows now."""
    return [models.as_signal(), models.table(limits.shared)]
