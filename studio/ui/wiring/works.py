"""What is made of pictures: runs of their own, or a form that is filled for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.history import History
from studio.preset import Preset
from studio.ui import run
from studio.ui.asker import visitor_of
from studio.ui.describe import plan_of
from studio.ui.editor.stack import uploaded
from studio.ui.errors import guarded, one_line, warn
from studio.ui.form import filled, to_preset, to_values
from studio.ui.layout import Parts
from studio.ui.library.depicting import depicted
from studio.ui.library.models import library
from studio.ui.runs import Runs
from studio.ui.session import Series, Session
from studio.ui.space import Limits
from studio.ui.widgets import EACH, IN_TURN, WITH_SESSION
from studio.ui.wiring.presets import notes_of, replaced_of
from studio.ui.works import works


def attach(parts: Parts, limits: Limits, runs: Runs, outputs: list[Any], started: str) -> Any:
    """Attach them; must be called inside ``gr.Blocks``.

    Args:
        outputs: what a run changes.

    Returns:
        The event that makes them.
    """

    def made(
        session: str, event: gr.EventData, request: gr.Request, **values: Any
    ) -> Iterator[tuple[Any, ...]]:
        owner = runs.session(run.key_of(session))
        visitor = visitor_of(limits, request)
        try:
            asked = event._data or {}
            of_form = works.of_form(asked, library())
            form = to_preset(values) if of_form else Preset()
            found, left_out = _asked_for(asked, form, runs.history(owner), limits)
            if found:
                _submit(runs, limits, owner, found, visitor)
            lost = [works.unsaid_loss(asked, form), works.cut_of_each(asked, library(), form)]
            of = {one.parent for one in found} if asked.get("do") != "each" else ()
            lost.append(works.said_of_form(asked, of_form))
            others = dict.fromkeys(line for one in of for line in replaced_of(runs, owner, one))
            for said in filter(None, [*lost, works.said_left_out(left_out), *others]):
                warn(said)
        except StudioError as error:
            warn(error)
        except Exception as error:  # the page outlives any mistake in one event
            warn(one_line(error))
        for update in run.follow(runs, owner, request.session_hash or "visitor"):
            yield tuple(update)

    making = parts.works.submit(
        made,
        parts.session,
        outputs,
        inputs_kwargs=parts.form,
        js=started,
        concurrency_limit=None,
        **EACH,
    )
    notes = parts.signals["notes"]

    def extended(session: str, event: gr.EventData, **values: Any) -> dict[Any, Any]:
        asked, owner = event._data or {}, runs.session(run.key_of(session))
        form = to_preset(values, limits)
        preset = works.with_room(asked, library(), form)
        limits.check(preset)
        lost = [line for line in [works.unsaid_loss({**asked, "do": "extend"}, form)] if line]
        owner.parent = runs.history(owner).same_as(uploaded(asked.get("picture"), "picture"))
        shown = {notes: {**notes_of(preset, lost), "loaded": False}}
        return filled(parts.form, to_values(preset)) | shown

    parts.works.select(
        guarded(extended),
        parts.session,
        [*parts.form.values(), notes],
        inputs_kwargs=parts.form,
        js=WITH_SESSION,
        **IN_TURN,
    )

    def given(event: gr.EventData) -> dict[str, Any]:
        return depicted(event._data or {})

    if not limits.shared:  # visitors change nothing of the library
        parts.works.depict(guarded(given), None, parts.signals["previews"], **EACH)
    return making


def _asked_for(
    asked: dict[str, Any], form: Preset, history: History, limits: Limits
) -> tuple[list[works.Labelled], list[str]]:
    """What is to be made, and what is left out of it, with why."""
    if asked.get("do") == "larger" and ("ids" in asked or "images" in asked):
        return works.larger_of_each(asked, library(), form, history, limits.check)
    return works.presets_of(asked, library(), form, history), []


def _submit(
    runs: Runs, limits: Limits, owner: Session, found: list[works.Labelled], visitor: str
) -> None:
    chosen = [one._replace(preset=run.chosen_seed(one.preset)) for one in found]
    for one in chosen:  # all or none
        limits.check(one.preset)
    room = runs.room_of(owner, visitor)
    if limits.shared and len(chosen) > room:  # elsewhere a series waits as one
        raise StudioError(
            f"{len(chosen)} runs are asked for, and {room} more may wait on this page",
            field="queue",
        )
    first = chosen[0].preset
    forwards = plan_of(first).forwards_total * first.sampler.count
    images = sum(one.preset.sampler.count for one in chosen)
    series = Series(images) if len(chosen) > 1 else None
    for preset, label, parent in chosen:
        runs.submit(owner, preset, forwards, visitor, series=series, label=label, parent=parent)
