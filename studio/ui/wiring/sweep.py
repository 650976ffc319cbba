"""The Sweep tab: its cost as one types, its start and stop, its cells and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.experiments.sweep_cost import pace_of
from studio.experiments.sweeping import stem_of
from studio.preset import Preset
from studio.ui import run
from studio.ui.asker import visitor_of
from studio.ui.errors import guarded, one_line, warn
from studio.ui.form import filled, to_preset, to_values
from studio.ui.layout import Parts
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.sweep import earlier, kept, shown
from studio.ui.sweep.asked import Looked, here, in_words, lines_of, look, three
from studio.ui.sweep.sweeper import Sweeper, Sweeps
from studio.ui.widgets import EACH, IN_TURN, QUIET, WITH_SESSION, fresh
from studio.ui.wiring.presets import notes_of

HEARTBEAT = 1.0  # seconds between two looks at whether the page is still there


def attach(page: gr.Blocks, parts: Parts, limits: Limits, runs: Runs) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""
    sweeps = parts.sweep.sweeps = Sweeps(runs)
    form, signals = dict(parts.form), parts.signals

    def own(session: str) -> Sweeper:
        key = run.key_of(session)
        if not key:
            raise StudioError("this page has no session; load it anew", field="sweep")
        return sweeps.of(key)

    def pace(preset: Preset) -> Callable[[], float | None]:
        """On a shared page by what this process made: the history is each visitor's own."""
        return lambda: runs.pace if limits.shared else pace_of(preset) or runs.pace

    def looked(session: str, event: gr.EventData, **values: Any) -> dict[str, Any]:
        asked = event._data or {}
        try:
            preset = to_preset(values, limits)
            found = look(preset, asked.get("axes"), limits, pace(preset))
            folder = own(session).folder
            known = here(preset, found.axes, folder) if found.cost else 0
            stem = stem_of(preset, three(found.axes), [], folder) if found.cost else ""
            answer = {**_answer(found, known), "stem": stem}
        except Exception as error:  # the page waits for its answer
            answer = {"faults": {}, "text": one_line(error), "ready": False}
        return fresh({**answer, "turn": asked.get("turn")})

    def started(
        session: str, event: gr.EventData, request: gr.Request, **values: Any
    ) -> Iterator[Any]:
        sweeper = own(session)
        try:
            preset, given = to_preset(values, limits), (event._data or {}).get("axes")
            found = look(preset, given, limits, pace(preset))
            _refuse(found, given)
            visitor = visitor_of(limits, request)
            sweeps.start(run.key_of(session), preset, found.axes, visitor)
        except Exception as error:  # the page outlives any mistake in one event
            warn(error)
            yield fresh({**shown.state_of(sweeper.state), "refused": one_line(error)})
            return
        yield from follow(sweeper)

    def found_again(session: str) -> Iterator[Any]:
        """A page that was loaded anew shows what its sweep is doing."""
        yield from follow(own(session))

    def used(session: str, event: gr.EventData) -> dict[Any, Any]:
        preset, axes = _used(own(session), event._data or {})
        loaded = {**notes_of(preset, []), "loaded": True}
        found = filled(form, to_values(preset)) | {signals["notes"]: loaded}
        return found | ({signals["sweepaxes"]: fresh({"axes": axes})} if axes else {})

    def file(session: str, event: gr.EventData) -> dict[str, Any]:
        return shown.file_of(own(session), str((event._data or {}).get("what")))

    def kept_cell(session: str, event: gr.EventData) -> tuple[Any, Any]:
        sweeper, owner = own(session), runs.session(run.key_of(session))
        said = kept.keep_cell(runs, owner, sweeper, (event._data or {}).get("place"))
        return run.strip(runs.newest(owner)), fresh({"text": said})

    tab, session, quiet = parts.sweep, parts.session, {**QUIET, "js": WITH_SESSION}
    tab.select(
        looked,
        session,
        signals["sweeplooked"],
        inputs_kwargs=form,
        trigger_mode="always_last",
        queue=False,
        **quiet,
    )
    tab.submit(
        started, session, signals["sweep"], inputs_kwargs=form, concurrency_limit=None, **quiet
    )
    tab.stop(guarded(lambda key: own(key).stop()), session, None, queue=False, **quiet)
    outputs = [*form.values(), signals["notes"], signals["sweepaxes"]]
    tab.edit(guarded(used), session, outputs, **{**IN_TURN, "js": WITH_SESSION})
    tab.download(guarded(file), session, signals["sweepfile"], **quiet)
    said = [parts.strip, signals["sweepkept"]]
    tab.copy(guarded(kept_cell), session, said, **{**EACH, "js": WITH_SESSION})
    page.load(found_again, session, signals["sweep"], concurrency_limit=None, **quiet)


def _answer(found: Looked, known: int) -> dict[str, Any]:
    return {
        "faults": {str(number): text for number, text in found.faults.items()},
        "text": in_words(found, known),
        "ready": found.cost is not None,
        "known": known,
        "total": found.cost.pictures if found.cost else 0,
    }


def _used(sweeper: Sweeper, asked: Mapping[str, Any]) -> tuple[Preset, list[dict[str, Any]] | None]:
    """What a press loads: a cell, axes around one, or a sweep of an earlier day."""
    if asked.get("do") == "earlier":
        return earlier.opened(sweeper.folder, asked.get("stem"))
    shot = shown.shot_at(sweeper.state, asked.get("place"))
    if asked.get("do") == "around":
        return shown.around_cell(sweeper.state, shot)
    return shot.cell.preset, None


def _refuse(found: Looked, given: Any) -> None:
    for number, text in found.faults.items():
        raise StudioError(text, field=lines_of(given)[number][0] or "sweep")
    if found.refused:
        raise StudioError(found.refused, field="sweep")


def follow(sweeper: Sweeper) -> Iterator[Any]:
    """What the tab shows, as often as it changes, until the sweep has ended."""
    seen = -1
    while True:
        state = sweeper.state
        version, running = state.version, state.state == "running"
        yield fresh(shown.state_of(state)) if version != seen else gr.skip()
        seen = version
        if not running:
            return
        sweeper.wait(seen, HEARTBEAT)
