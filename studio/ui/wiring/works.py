"""What is made of pictures: runs of their own, or a form that is filled for the next one."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

import gradio as gr

from studio.errors import StudioError, first_of
from studio.preset import Preset
from studio.ui import run
from studio.ui.asker import visitor_of
from studio.ui.describe import plan_of, progress_bar
from studio.ui.editor.stack import uploaded
from studio.ui.errors import guarded, on_page, one_line, tell, warn
from studio.ui.form import filled, to_preset, to_values
from studio.ui.layout import Parts
from studio.ui.library.depicting import depicted
from studio.ui.library.models import library
from studio.ui.runs import Runs
from studio.ui.session import Series, Session
from studio.ui.space import Limits
from studio.ui.widgets import EACH, IN_TURN, WITH_SESSION, fresh
from studio.ui.wiring.presets import notes_of, replaced_of
from studio.ui.works import works
from studio.ui.works.asked import Form, Labelled
from studio.ui.works.fills import filled_with
from studio.ui.works.larger import Found, check_room, larger_of_each, said_of_form


def attach(parts: Parts, limits: Limits, runs: Runs, outputs: list[Any], started: str) -> Any:
    """Attach them; must be called inside ``gr.Blocks``.

    Args:
        outputs: what a run changes.

    Returns:
        The event that makes them.
    """

    notes = parts.signals["notes"]

    def made(
        session: str, event: gr.EventData, request: gr.Request, **values: Any
    ) -> Iterator[tuple[Any, ...]]:
        owner = runs.session(run.key_of(session))
        visitor = visitor_of(limits, request)
        series = None
        try:
            asked, form = event._data or {}, Form(lambda: to_preset(values))
            series = yield from _beside_notes(begun(asked, form, runs, limits, owner, visitor))
            if left := works.left_of_lines(asked, form):
                yield *run.Update(), _told("Prompts of a text", left)
            if left := works.left_of_pictures(asked, library(), runs.history(owner)):
                yield *run.Update(), _told("Pictures of other tools", left)
        except StudioError as error:
            warn(error)
        except Exception as error:  # the page outlives any mistake in one event
            warn(one_line(error))
        for update in run.follow(runs, owner, request.session_hash or "visitor"):
            yield *update, gr.skip()
        if series is not None and series.failed and not series.goes_on(owner.active()):
            warn(f"{len(series.failed)} failed · {first_of(series.failed)}")

    making = parts.works.submit(
        made,
        parts.session,
        [*outputs, notes],
        inputs_kwargs=parts.form,
        js=started,
        concurrency_limit=None,
        **EACH,
    )

    def fills(session: str, event: gr.EventData, **values: Any) -> dict[Any, Any]:
        asked, owner = event._data or {}, runs.session(run.key_of(session))
        read = read_for(asked, values)
        preset, said, loaded = filled_with(
            asked, library(), lambda: to_preset(read, limits), limits
        )
        if "picture" in asked:
            owner.parent = runs.history(owner).same_as(uploaded(asked["picture"], "picture"))
        if asked.get("do") == "extend":
            size = f"{preset.sampler.width} × {preset.sampler.height}"
            told = (
                f"The form starts from the picture with its room, {size}; Generate paints the room"
            )
            tell(told, title="Start from a picture")
        shown = {notes: {**notes_of(preset, said), "loaded": loaded}}
        return filled(parts.form, to_values(preset)) | shown

    parts.works.select(
        guarded(fills),
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


def read_for(asked: Mapping[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """What is read of the form: room around a picture takes the place of its start picture, which then
    need not fit the steps."""
    return {**values, "init": None} if asked.get("do") == "extend" else values


def _beside_notes(
    updates: Generator[tuple[Any, ...], None, Series | None],
) -> Generator[tuple[Any, ...], None, Series | None]:
    """The same updates, which leave the list of notes as it is."""
    while True:
        try:
            yield *next(updates), gr.skip()
        except StopIteration as end:
            return end.value


def _told(title: str, lines: list[str]) -> dict[str, Any]:
    """What was left out of what is made, all of it, for the list that stays until it is closed."""
    return fresh({"title": title, "notes": [on_page(line) for line in lines]})


def begun(
    asked: dict[str, Any], form: Form, runs: Runs, limits: Limits, owner: Session, visitor: str
) -> Generator[tuple[Any, ...], None, Series | None]:
    """Ask for the runs of what a person wants made, and say what is left out of it; the page is told how
    far its pictures are read. Several runs are a series.

    Raises:
        StudioError: nothing of it can be made, or no more may wait.
    """
    found, left_out = yield from _asked_for(asked, form, runs, limits, owner, visitor)
    if left_out:  # whatever becomes of the others
        warn(works.said_left_out(left_out))
    do = str(asked.get("do"))
    series = _submit(runs, limits, owner, found, visitor, do) if found else None
    of = {one.parent for one in found} if asked.get("do") != "each" else ()
    others = dict.fromkeys(line for one in of for line in replaced_of(runs, owner, one))
    for said in filter(None, [*_lost(asked, form), *others]):
        warn(said)
    return series


def _asked_for(
    asked: dict[str, Any],
    form: Form,
    runs: Runs,
    limits: Limits,
    owner: Session,
    visitor: str,
) -> Generator[tuple[Any, ...], None, Found]:
    """What is to be made, and what is left out of it, with why; the page is told how far it is."""
    history = runs.history(owner)
    if asked.get("do") != "larger" or not ("ids" in asked or "images" in asked):
        return Found(works.presets_of(asked, library(), form, history), [])

    def check(preset: Preset) -> None:
        limits.check(preset)
        plan_of(preset)

    room = runs.room_of(owner, visitor) if limits.shared else None
    reading = larger_of_each(asked, library(), form, history, check, room)
    while True:
        try:
            done, of = next(reading)
        except StopIteration as end:
            return end.value
        far = progress_bar(done / of, f"Reading the pictures: {done} of {of}")
        yield tuple(run.Update(progress=far))


def _lost(asked: dict[str, Any], form: Form) -> list[str]:
    """What of the form is not in what is asked for."""
    if asked.get("do") == "lines":
        return []  # which has a list of its own
    if asked.get("do") != "each":
        return said_of_form(asked, form)
    return [works.unsaid_loss(asked, form()), works.cut_of_each(asked, library(), form())]


def _submit(
    runs: Runs, limits: Limits, owner: Session, found: list[Labelled], visitor: str, do: str = ""
) -> Series | None:
    """Ask for all of them or none; several are a series. ``do``: what was asked for."""
    chosen = [one._replace(preset=run.chosen_seed(one.preset)) for one in found]
    for one in chosen:
        limits.check(one.preset)
    # Elsewhere a series waits as one.
    check_room(len(chosen), runs.room_of(owner, visitor) if limits.shared else None)
    plan_of(chosen[0].preset)  # what cannot be is said at once
    images = sum(one.preset.sampler.count for one in chosen)
    series = Series(images, title=_title(chosen, do)) if len(chosen) > 1 else None
    for preset, label, parent in chosen:
        forwards = run.forwards_of(preset)
        runs.submit(owner, preset, forwards, visitor, series=series, label=label, parent=parent)
    return series


def _title(chosen: list[Labelled], do: str) -> str:
    """What the queue calls pictures of several presets; "" where one name and its prompts say it."""
    said = {(one.name, *(row.prompt for row in one.rows)) for one, _, _ in chosen}
    if len(said) == 1:
        return ""
    return f"{len(chosen)} prompts of a text" if do == "lines" else f"{len(chosen)} larger ones"
