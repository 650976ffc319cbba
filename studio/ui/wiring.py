"""The wiring: which event calls what, and which components it changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.preset import Preset
from studio.share import decode_link, encode_link, extract
from studio.train.runner import RUNNER
from studio.ui import run
from studio.ui.describe import describe, progress_bar
from studio.ui.errors import guarded, warn
from studio.ui.form import SIZE, to_preset, to_values
from studio.ui.history import moments as made
from studio.ui.layout import Parts
from studio.ui.library import fetch, models, residence
from studio.ui.presets import gallery
from studio.ui.space import Limits
from studio.ui.train import events as training
from studio.ui.widgets import QUIET, fresh

STARTED = "(...values) => { window.studio.started(); return values; }"
CANCELLED = progress_bar(0, "Cancelled", "idle")
# Updates that were on their way when Cancel was pressed would leave the bar at "running".
SETTLED = f"async () => [await window.studio.settled({json.dumps(CANCELLED)})]"
# Without the small pictures that the stack and the starting picture hold.
AUTOSAVE = (
    "(...values) => { values[3] = {rows: values[3]?.rows ?? []}; const last = values.length - 1;"
    " values[last] = {init: values[last]?.init ?? null}; return [JSON.stringify(values)]; }"
)


def connect(page: gr.Blocks, parts: Parts, limits: Limits, events: run.Stream) -> None:
    """Attach every event handler; must be called inside ``gr.Blocks``."""
    _plan_and_autosave(parts)
    _generation(parts, limits, events)
    _opening(page, parts, limits)
    _presets(parts, limits)
    _browser_only(parts)
    library = [parts.signals["models"], parts.models]
    _bases_follow(parts)
    training.attach(parts.train, RUNNER, page, parts.form.components(), library, limits)
    fetch.attach(parts.fetch, library, limits)
    _residence(parts, limits)
    parts.rescan.click(guarded(lambda: _rescanned(limits)), None, library, **QUIET)


def _bases_follow(parts: Parts) -> None:
    """The lists of base models are those of the library, whatever changed it."""
    lists = [parts.form.base, *([parts.train.fields["base"]] if parts.train else [])]

    def choices(*chosen: str) -> dict[Any, Any]:
        return {
            shown: gr.update(choices=models.bases(base))
            for shown, base in zip(lists, chosen, strict=True)
        }

    parts.signals["models"].change(guarded(choices), lists, lists, **QUIET)


def _residence(parts: Parts, limits: Limits) -> None:
    """Visitors of a shared page are not told what others have loaded."""
    if not limits.shared:
        parts.models_tab.select(guarded(residence.table), None, parts.loaded, queue=False, **QUIET)


def _plan_and_autosave(parts: Parts) -> None:
    form = parts.form.components()
    changes = [component.change for component in form]
    gr.on(
        changes,
        guarded(describe),
        form,
        parts.plan,
        trigger_mode="always_last",
        queue=False,
        **QUIET,
    )
    gr.on(changes, None, form, parts.autosave, js=AUTOSAVE)
    parts.form.base.change(None, parts.form.base, parts.signals["base"], js="(base) => [base]")


def _generation(parts: Parts, limits: Limits, events: run.Stream) -> None:
    inputs = [parts.history, *parts.form.components()]
    outputs = [parts.stage, parts.progress, parts.signals["shares"], parts.history, parts.strip]
    running = parts.generate.click(
        run.handler(events, limits),
        inputs,
        outputs,
        js=STARTED,
        api_name="generate",
        concurrency_id="engine",
        concurrency_limit=1,
        show_progress="hidden",
    )
    cancelled = parts.cancel.click(
        lambda: CANCELLED,
        None,
        parts.progress,
        js="() => { window.studio.cancelled(); return []; }",
        cancels=[running],
        queue=False,
        **QUIET,
    )
    cancelled.then(None, None, parts.progress, js=SETTLED)


def _opening(page: gr.Blocks, parts: Parts, limits: Limits) -> None:
    def opened(saved: str | None, request: gr.Request) -> list[Any]:
        preset = _linked(request) or _saved(saved) or gallery.first(limits)
        moments = made.earlier(limits)
        return [*to_values(preset), preset.base, moments, made.strip(moments), *_listed(limits)]

    page.load(
        guarded(opened),
        parts.autosave,
        [
            *parts.form.components(),
            parts.signals["base"],
            parts.history,
            parts.strip,
            parts.signals["models"],
            parts.models,
        ],
        **QUIET,
    )
    page.load(guarded(lambda: gallery.cards(limits)), None, parts.shelf, **QUIET)


def _linked(request: gr.Request) -> Preset | None:
    code = request.query_params.get("p")
    if not code:
        return None
    try:
        return extract(decode_link(code))
    except StudioError as error:
        warn(error)
        return None


def _saved(text: str | None) -> Preset | None:
    try:
        values = json.loads(text or "null")
        if not isinstance(values, list) or len(values) != SIZE:
            return None
        values[3], values[-1] = values[3]["rows"], values[-1]["init"]
        return to_preset(*values)
    except (StudioError, ValueError, TypeError, KeyError):
        return None  # the form of an older version of the studio


def _presets(parts: Parts, limits: Limits) -> None:
    form = parts.form.components()
    chosen = _chooser(lambda identity: gallery.pick(limits, identity))
    parts.shelf.select(guarded(chosen), None, form, **QUIET)

    def again(moments: list[made.Moment], event: gr.EventData) -> list[Any]:
        return to_values(extract(made.pick(moments, str(event.id)).preset()))

    parts.strip.select(guarded(again), parts.history, form, **QUIET)
    parts.load.upload(guarded(_opened_file), parts.load, form, **QUIET)

    def saved(moments: list[made.Moment], *values: Any) -> dict[str, Any]:
        preset = to_preset(*values)
        path = gallery.save(preset, limits, made.picture_of(moments, preset))
        gr.Info(f"Saved as {path.name}", title="Preset")
        return gallery.cards(limits)

    parts.save.click(guarded(saved), [parts.history, *form], parts.shelf, **QUIET)
    parts.download.click(
        guarded(lambda *values: fresh(gallery.download(to_preset(*values)))),
        form,
        parts.signals["download"],
        **QUIET,
    )
    parts.link.click(guarded(_link), form, parts.signals["link"], **QUIET)


def _link(*values: Any) -> dict[str, Any]:
    code, notes = encode_link(to_preset(*values))
    for note in notes[:3]:
        warn(note)
    return fresh({"code": code})


def _chooser(pick: Callable[[str], Preset]) -> Callable[..., list[Any]]:
    def chosen(event: gr.EventData) -> list[Any]:
        return to_values(pick(str(event.id)))

    return chosen


def _opened_file(path: str | None) -> Any:
    if not path:
        return gr.skip()
    preset, notes = gallery.load_file(Path(path))
    for note in notes[:3]:
        warn(note)
    return to_values(preset)


def _browser_only(parts: Parts) -> None:
    parts.dice.click(None, None, parts.form.seed, js="() => [window.studio.newSeed()]")
    parts.theme.click(None, None, None, js="() => { window.studio.toggleTheme(); return []; }")


def _listed(limits: Limits) -> list[Any]:
    return [models.as_signal(), models.table(limits.shared)]


def _rescanned(limits: Limits) -> list[Any]:
    models.rescan()
    return _listed(limits)
