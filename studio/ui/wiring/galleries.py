"""Galleries: what each press in them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from studio.ui import run
from studio.ui.errors import guarded
from studio.ui.form import filled, to_preset, to_values
from studio.ui.history import moments as made
from studio.ui.layout import Parts
from studio.ui.presets import galleries, gallery, look
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.widgets import EACH, IN_TURN, QUIET, WITH_SESSION
from studio.ui.wiring.presets import SHELF, made_of_none, notes_of


def attach(parts: Parts, limits: Limits, runs: Runs) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""
    own = parts.galleries
    if own is None:
        return
    view, form, notes = own.galleries, parts.form, parts.signals["notes"]

    def opened(event: gr.EventData) -> Iterator[dict[str, Any]]:
        yield from galleries.opened(str(event.source), bool(event.fresh))

    def tried(session: str, event: gr.EventData) -> dict[Any, Any]:
        preset = galleries.picked(str(event.source), str(event.id))
        made_of_none(runs, session)
        news = {**notes_of(preset, [], looked_at=True), "loaded": True}
        shown = {notes: news, parts.look: look.opened(preset, limits, news)}
        return filled(form, to_values(preset)) | shown

    def kept(event: gr.EventData) -> dict[Any, Any]:
        name = str(event.source)
        said = galleries.kept(name, str(event.id))
        return {view: galleries.shown(name, said), parts.shelf: gallery.cards(limits)}

    def forgotten(event: gr.EventData) -> dict[str, Any]:
        galleries.forget(str(event.source))
        return galleries.closed()

    view.select(opened, None, view, concurrency_id="hub", concurrency_limit=1, **IN_TURN)
    view.edit(
        guarded(tried),
        parts.session,
        [*form.values(), notes, parts.look],
        js=WITH_SESSION,
        **IN_TURN,
    )
    view.submit(guarded(kept), None, [view, parts.shelf], **SHELF, **EACH)
    view.delete(guarded(forgotten), None, view, **EACH)
    if own.publishing is not None:
        _publishing(own.publishing, own.looked, parts, runs)


def _publishing(panel: galleries.Publishing, draft: gr.State, parts: Parts, runs: Runs) -> None:
    def said(act: Callable[[], list[Any]]) -> list[Any]:
        try:
            return act()
        except Exception as error:  # one line where the eyes are, and nothing to publish
            return [galleries.failed(error), None]

    def looked(session: str, event: gr.EventData, **values: Any) -> list[Any]:
        def look() -> list[Any]:
            preset = to_preset(values)
            moments = runs.session(run.key_of(session)).moments
            wanted = bool(event.picture)
            picture = made.picture_of(moments, preset) if wanted else None
            return list(galleries.looked_at(preset, picture, str(event.to), wanted))

        return said(look)

    outputs = [panel, draft]
    panel.select(
        looked, parts.session, outputs, inputs_kwargs=dict(parts.form), js=WITH_SESSION, **IN_TURN
    )

    def sent(seen: Any) -> list[Any]:
        return said(lambda: [galleries.sent(seen), None])

    panel.submit(sent, draft, outputs, **QUIET)
