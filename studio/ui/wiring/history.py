"""The History tab: what it asks, and pictures that are used again."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.ui import run
from studio.ui.errors import guarded, warn
from studio.ui.form import filled, to_preset, to_values
from studio.ui.history import reuse, view
from studio.ui.layout import Parts
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.widgets import EACH, IN_TURN, QUIET, WITH_SESSION, fresh
from studio.ui.wiring.presets import notes_of, replaced_of


def attach(parts: Parts, limits: Limits, runs: Runs) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""
    notes = parts.signals["notes"]

    def asked(session: str, event: gr.EventData) -> list[Any]:
        request, strip = event._data or {}, gr.skip()
        owner = runs.session(run.key_of(session))
        try:
            owned = runs.history(owner)
            answer = view.answer(owned, request, limits.local)
        except Exception as error:  # the page waits for an answer before it asks again
            warn(error)
            answer = fresh({"refused": request})  # what it showed before the answer is not so
        if answer.get("changed"):  # the strip shows the same pictures
            strip = run.strip(runs.newest(owner))
        return [{**answer, "turn": request.get("turn"), "owner": limits.local}, strip]

    parts.history.select(
        asked,
        parts.session,
        [parts.history, parts.strip],
        js=WITH_SESSION,
        trigger_mode="multiple",
        concurrency_limit=None,
        **QUIET,
    )

    def marked(session: str, event: gr.EventData) -> tuple[Any, Any]:
        owner = runs.session(run.key_of(session))
        request = event._data or {}
        try:
            told = view.answer(runs.history(owner), request)
        except Exception as error:  # the strip says what stands, but of a picture that is gone
            warn(error)
            told = fresh({"refused": request})
        return run.strip(runs.newest(owner)), told

    shown = [parts.strip, parts.signals["marked"]]
    parts.strip.edit(marked, parts.session, shown, js=WITH_SESSION, concurrency_limit=None, **EACH)

    def again(session: str, event: gr.EventData, **values: Any) -> dict[Any, Any]:
        owner = runs.session(run.key_of(session))
        part, identity = str(event.part), str(event.id)
        made, told = reuse.brought(runs.history(owner), identity)
        preset = reuse.again(made, made if part == "all" else to_preset(values), part)
        if part == "all":
            owner.parent = identity
        said = replaced_of(runs, owner, identity) if part in ("all", "rows") else []
        said += reuse.told_of(told, part)
        loaded = {**notes_of(preset, said), "loaded": part == "all"}
        return filled(parts.form, to_values(preset)) | {notes: loaded}

    parts.history.submit(
        guarded(again),
        parts.session,
        [*parts.form.values(), notes],
        inputs_kwargs=parts.form,
        js=WITH_SESSION,
        **IN_TURN,
    )
