"""What is made of pictures: runs of their own, or a form that is filled for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.preset import Preset
from studio.ui import run
from studio.ui.describe import plan_of
from studio.ui.errors import guarded, one_line, warn
from studio.ui.form import filled, to_preset, to_values
from studio.ui.layout import Parts
from studio.ui.library.models import library
from studio.ui.runs import Runs
from studio.ui.session import Series, Session
from studio.ui.space import Limits
from studio.ui.widgets import QUIET
from studio.ui.wiring.presets import notes_of
from studio.ui.works import works


def attach(parts: Parts, limits: Limits, runs: Runs, outputs: list[Any], started: str) -> None:
    """Attach them; must be called inside ``gr.Blocks``. ``outputs``: what a run changes."""

    def made(
        session: str, event: gr.EventData, request: gr.Request, **values: Any
    ) -> Iterator[tuple[Any, ...]]:
        owner = runs.session(run.key_of(session))
        visitor = run.address_of(request) if limits.shared else ""
        try:
            asked = event._data or {}
            form = Preset() if asked.get("do") != "each" else to_preset(values)
            found = works.presets_of(asked, library(), form, runs.history(owner))
            _submit(runs, limits, owner, found, visitor)
        except StudioError as error:
            warn(error)
        except Exception as error:  # the page outlives any mistake in one event
            warn(one_line(error))
        for update in run.follow(runs, owner, request.session_hash or "visitor"):
            yield tuple(update)

    parts.works.submit(
        made,
        parts.session,
        outputs,
        inputs_kwargs=parts.form,
        js=started,
        concurrency_limit=None,
        **QUIET,
    )
    notes = parts.signals["notes"]

    def extended(event: gr.EventData, **values: Any) -> dict[Any, Any]:
        preset = works.with_room(event._data or {}, library(), to_preset(values))
        limits.check(preset)
        shown = {notes: {**notes_of(preset, []), "loaded": False}}
        return filled(parts.form, to_values(preset)) | shown

    parts.works.select(
        guarded(extended), None, [*parts.form.values(), notes], inputs_kwargs=parts.form, **QUIET
    )


def _submit(
    runs: Runs, limits: Limits, owner: Session, found: list[works.Labelled], visitor: str
) -> None:
    chosen = [(run.chosen_seed(preset), label) for preset, label in found]
    for preset, _ in chosen:  # all or none
        limits.check(preset)
    forwards = plan_of(chosen[0][0]).forwards_total * chosen[0][0].sampler.count
    images = sum(preset.sampler.count for preset, _ in chosen)
    series = Series(images) if len(chosen) > 1 else None
    for preset, label in chosen:
        runs.submit(owner, preset, forwards, visitor, series=series, label=label)
