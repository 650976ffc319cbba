"""The plan, Generate and Cancel."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.preset import Preset
from studio.preset.fields import with_fields
from studio.train.runner import RUNNER
from studio.ui import queue, run
from studio.ui.asker import visitor_of
from studio.ui.cancelling import cancel
from studio.ui.describe import describe, plan_of
from studio.ui.errors import guarded, one_line, warn
from studio.ui.form import to_preset
from studio.ui.idle import idle
from studio.ui.layout import Parts
from studio.ui.library import models
from studio.ui.runs import Runs
from studio.ui.session import Series, Session
from studio.ui.space import Limits
from studio.ui.train.form import preset_of
from studio.ui.train.resumed import cut_off
from studio.ui.widgets import EACH, QUIET, UNSHOWN, WITH_SESSION, fresh
from studio.ui.wiring import library, works

STARTED = "(...values) => { window.studio.started(); return [window.studio.session(), ...values.slice(1)]; }"
# Of a run that is not what the form shows.
STARTED_APART = "(...values) => { window.studio.started(false); return [window.studio.session(), ...values.slice(1)]; }"
# The session, how many runs the browser saw that had not ended, how many pictures of an earlier start
# of the server, and which training.
FOUND_AGAIN = """() => {
    const { session, unended, madeBefore, trained } = window.studio;
    return [`${session()} ${unended()} ${madeBefore()} ${trained()}`];
}"""
DAMAGED = "is damaged"  # as every refusal of a model's file says
PLAN_ASKED = "(...values) => { window.studio.planAsked(); return values; }"


def attach(page: gr.Blocks, parts: Parts, limits: Limits, runs: Runs) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""
    _plan_and_autosave(parts, limits)
    outputs = [parts.stage, parts.progress, parts.signals["shares"], parts.strip, parts.queue]

    def looked(session: str) -> list[Any]:
        """What a run failed for may be a model that has gone, or is damaged: then the plan says so at
        once."""
        last = runs.session(run.key_of(session)).current()
        failed = last is not None and last.state == "failed" and last.error
        if not failed or not (models.stale() or DAMAGED in failed):
            return [gr.skip() for _ in library.shown(parts)]
        models.rescan()
        return library.listed(limits)

    def made(event: Any) -> None:
        """After a run, whatever asked for it."""
        shown = library.shown(parts)
        event.then(guarded(looked), parts.session, shown, js=WITH_SESSION, queue=False, **QUIET)

    generated = parts.generate.click(
        run.handler(runs, limits),
        [parts.session],
        outputs,
        inputs_kwargs=parts.form,
        js=STARTED,
        api_name="generate",
        api_description="What the page's button does: each field of the form is a parameter.",
        concurrency_limit=None,
        trigger_mode="multiple",
        **UNSHOWN,
    )
    made(generated)

    endless = parts.forever.click(
        run.handler(runs, limits, forever=True),
        [parts.session],
        outputs,
        inputs_kwargs=parts.form,
        js=STARTED,
        concurrency_limit=None,
        **EACH,
    )
    made(endless)
    _sweeps(parts, limits, runs, outputs)
    made(works.attach(parts, limits, runs, outputs, STARTED_APART))

    # An event outside Gradio's queue has no toast: what it says travels with the list.
    def ordered(session: str, event: gr.EventData) -> Any:
        owner = runs.session(run.key_of(session))
        try:
            queue.act(runs, owner, str(event.do), int(event.number))
        except StudioError as error:
            return {**queue.shown(runs, owner), "said": one_line(error)}
        return gr.skip()

    parts.queue.select(
        guarded(ordered), parts.session, parts.queue, js=WITH_SESSION, queue=False, **EACH
    )

    def around(session: str) -> Any:
        return queue.shown(runs, runs.session(run.key_of(session)))

    parts.queue.submit(
        guarded(around), parts.session, parts.queue, js=WITH_SESSION, queue=False, **QUIET
    )

    def cancelled(session: str) -> Any:
        key = run.key_of(session)
        training = (
            parts.train is not None and not limits.shared and RUNNER.state.status == "running"
        )
        tuner = parts.tradeoff.tuner if parts.tradeoff else None
        said = cancel(runs, key, parts.sweep.sweeps, tuner, training)
        return {**queue.shown(runs, runs.session(key)), "said": said} if said else gr.skip()

    parts.cancel.click(
        guarded(cancelled), parts.session, parts.queue, js=WITH_SESSION, queue=False, **QUIET
    )

    def found_again(asked: str, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """A page that was loaded anew shows what its session is doing, or that it is gone."""
        session, unended, made, trained = (*asked.split(" ", 3), "", "", "")[:4]
        owner = runs.session(run.key_of(session))
        gone = int(unended) if unended.isdecimal() and owner.current() is None else 0
        cut = cut_off(RUNNER, trained) if parts.train else ""
        if limits.shared and not runs.newest(owner):  # kept for as long as the server stands
            cut = " · ".join(filter(None, [vanished(made), cut]))
        if gone or cut:
            yield tuple(run.Update(progress=run.lost(gone, cut)))
        for update in run.follow(runs, owner, request.session_hash or "visitor"):
            yield tuple(update)

    page.load(found_again, parts.session, outputs, js=FOUND_AGAIN, concurrency_limit=None, **QUIET)

    def kept(session: str, event: gr.EventData) -> tuple[Any, Any]:
        return keep(runs, runs.session(run.key_of(session)), int(event.index))

    shown = [parts.strip, parts.signals["kept"]]
    parts.stage.select(guarded(kept), parts.session, shown, js=WITH_SESSION, **EACH)


def vanished(made: str) -> str:
    """What is said of so many pictures that went with an earlier start; "" for none."""
    count = int(made) if made.isdecimal() else 0
    if not count:
        return ""
    return f"{count} picture{'s' if count > 1 else ''} made here before {'are' if count > 1 else 'is'} gone"


def keep(runs: Runs, owner: Session, index: int) -> tuple[Any, Any]:
    """Save an unfinished picture: the strip, and what its button is told. Answers that come at once
    may be heard as one, so that each names all that are kept."""
    try:
        run.keep_unfinished(runs, owner, index)
    except Exception as error:  # the button is told as well
        warn(error)
        return gr.skip(), fresh({"asked": index, "kept": _kept(owner)})
    return run.strip(runs.newest(owner)), fresh({"asked": index, "kept": _kept(owner)})


def _kept(owner: Session) -> list[int]:
    last = owner.current()
    return sorted(last.kept) if last else []


# What a strip varies: all of it, and less where a visitor may have few runs in the queue.
OMEGAS, FEWER = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (0.0, 0.5, 1.0)
WEIGHTS, FEWER_WEIGHTS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0), (1.0, 2.0, 4.0)


def strip_of(preset: Preset, few: bool) -> list[tuple[str, Preset]]:
    """The pictures of a strip over ω, a preset with its label each; over the first row's weight where
    ω changes nothing, as of a concept network alone.

    Raises:
        StudioError: ω changes nothing, and there is no row.
    """
    if "omega" in idle(preset):
        path, name, values = "rows.0.weight", "weight", FEWER_WEIGHTS if few else WEIGHTS
    else:
        path, name, values = "omega", "ω", FEWER if few else OMEGAS
    shots = []
    for value in values:
        label = f"{name} {value:g}"
        title = f"{preset.name} · {label}"[:200]
        one = with_fields(preset, [(path, value)]).model_copy(update={"name": title})
        shots.append((label, one))
    return shots


def _sweeps(parts: Parts, limits: Limits, runs: Runs, outputs: list[Any]) -> None:
    """One preset as a strip, one picture each, same seed: after a training, and in the tour."""

    def swept(
        preset_of: Callable[..., Preset], session: str, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        owner = runs.session(run.key_of(session))
        visitor = visitor_of(limits, request)
        try:
            preset = run.chosen_seed(preset_of())
            limits.check(preset)
            shots = strip_of(preset, limits.shared)
            series = Series(len(shots))
            for label, one in shots:
                forwards = plan_of(one).forwards_expected
                runs.submit(owner, one, forwards, visitor, series=series, label=label)
        except StudioError as error:
            warn(error)
        for update in run.follow(runs, owner, request.session_hash or "visitor"):
            yield tuple(update)

    def of_training(
        session: str, name: str | None, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        yield from swept(lambda: preset_of(RUNNER, name), session, request)

    def of_form(session: str, request: gr.Request, **values: Any) -> Iterator[tuple[Any, ...]]:
        yield from swept(lambda: _one(to_preset(values)), session, request)

    options: dict[str, Any] = {"js": STARTED_APART, "concurrency_limit": None, **QUIET}
    if parts.train:
        given = [parts.session, parts.train.fields["name"]]
        parts.train.actions["sweep"].click(of_training, given, outputs, **options)
    parts.tour.submit(of_form, parts.session, outputs, inputs_kwargs=parts.form, **options)


def _one(preset: Preset) -> Preset:
    """One picture of it."""
    sampler = preset.sampler.model_copy(update={"count": 1})
    return preset.model_copy(update={"sampler": sampler})


def _plan_and_autosave(parts: Parts, limits: Limits) -> None:
    form, told = parts.form, parts.changes.changed
    # A model may have come or gone; a folded field that is filled alone tells nobody, its notes do.
    parts.changes.hear([*form.values(), parts.signals["models"], parts.signals["notes"]])
    # Kept first: Gradio waits for the answer of one before it begins the next.
    names = json.dumps(list(form))
    autosave = f"(...values) => {{ window.studio.autosave({names}, values); return []; }}"
    told(None, list(form.values()), None, js=autosave)
    told(
        guarded(partial(describe, limits)),
        None,
        [parts.plan, *(parts.signals[name] for name in ("idle", "fault"))],
        inputs_kwargs=form,
        trigger_mode="always_last",
        queue=False,
        js=PLAN_ASKED,
        **QUIET,
    ).then(None, js="() => { window.studio.planMade(); return []; }")
    form["base"].change(None, form["base"], parts.signals["base"], js="(base) => [base]")
