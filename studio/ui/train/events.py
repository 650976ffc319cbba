"""The Train tab's events: which button calls what."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.train.method import METHODS
from studio.train.runner import Runner
from studio.ui.errors import guarded as guarded_by
from studio.ui.errors import warn
from studio.ui.library import models
from studio.ui.space import Limits
from studio.ui.train import defaults, examples, faults, images, tab
from studio.ui.train import dropped as dropping
from studio.ui.train import form as train_form
from studio.ui.train.actions import buttons
from studio.ui.train.defaults import NUMBERS
from studio.ui.train.naming import misnamed
from studio.ui.train.resumed import left_out
from studio.ui.train.tab import TrainParts
from studio.ui.train.view import refusal
from studio.ui.train.words import called, on_tab
from studio.ui.widgets import EACH, IN_TURN, QUIET

guarded = partial(guarded_by, worded=on_tab)


def attach(
    parts: TrainParts | None,
    runner: Runner,
    page: gr.Blocks,
    library_parts: Sequence[Any],
    limits: Limits,
) -> None:
    """Attach them all; must be called inside ``gr.Blocks``.

    Args:
        parts: the tab's components; ``None`` where training is off.
        library_parts: components that show the library, drawn anew when a model is done.
    """
    if parts is None:
        return
    _pictures(parts)
    _settings(parts)
    _kept(parts, page)
    _starting(parts, runner)
    _running(parts, runner, library_parts)

    # A page being loaded has no name yet.
    def tick(seen: str, name: str | None, ends: bool = False) -> list[Any]:
        state = runner.state
        if state.model and state.model != seen:
            models.rescan()
            library = [models.as_signal(), models.table(limits.shared)]
        else:
            library = [gr.skip()] * len(library_parts)
        return [*tab.shown(runner, (name or "").strip(), ends), state.model, *library]

    outputs = [*tab.outputs(parts), parts.seen, *library_parts]
    inputs = [parts.seen, parts.fields["name"]]
    parts.timer.tick(
        guarded(lambda *given: tick(*given, ends=True)), inputs, outputs, queue=False, **QUIET
    )
    parts.looks.changed(guarded(tick), inputs, outputs, queue=False, **QUIET)
    page.load(guarded(tick), inputs, outputs, **QUIET)


def _pictures(parts: TrainParts) -> None:
    fields = parts.fields

    drops = gr.State([])  # the files after each of the last drops, see dropping.unheard

    def dropped(
        files: Any, known: Any, listed: Any, drops: list[list[str]]
    ) -> tuple[None, list[str], Any, list[list[str]]]:
        known, more, since = dropping.unheard(known or [], drops)
        listed = dropping.listed(more, listed)
        files, said = dropping.readable(files)
        every = dropping.together(known, files)
        said += dropping.unused(files, listed) + dropping.replaced(known, files, listed)
        if said:
            warn(" · ".join(said))
        return None, every, images.shown(dropping.listed(files, listed), every), [*since, every]

    kept = [parts.files, parts.uploads, parts.pictures, drops]
    parts.files.upload(guarded(dropped), kept, kept, **EACH)
    texts = [parts.pictures, fields["word"], fields["superclass"], fields["template"]]

    def filled(pictures: Any, *given: str) -> Any:
        found, kept = train_form.filled(pictures, *given)
        for line in kept:
            warn(line)
        return found

    parts.fill.click(guarded(filled), texts, parts.pictures, **QUIET)
    usual = {name: field.value for name, field in fields.items()}

    def tried(known: Any, files: Any, **typed: Any) -> dict[Any, Any]:
        example = examples.hero()
        train_form.refuse_to_lose(known, example.pictures, examples.others(files))
        if gone := examples.replaced(example.settings, typed, usual):
            warn(gone)
        return {
            parts.uploads: example.files,
            parts.pictures: images.shown(example.pictures, example.files),
            **{fields[name]: value for name, value in example.settings.items()},
        }

    parts.examples.click(
        guarded(tried),
        [parts.pictures, parts.uploads],
        [parts.uploads, parts.pictures, *fields.values()],
        inputs_kwargs=fields,
        **QUIET,
    )


def _settings(parts: TrainParts) -> None:
    """A person's choice of base or method brings its defaults; what is restored keeps its own."""
    fields = parts.fields
    numbers = [fields["template"], *(fields[name] for name in NUMBERS)]
    last = parts.brought_for
    given = [last, fields["method"], fields["base"], *numbers]

    def brought(before: list[str], method: str, base: str, *shown: Any) -> list[Any]:
        told = before == [method, base]  # a choice by mouse is told twice
        if told and not any(value in (None, "") for value in shown):
            return [gr.skip()] * (1 + len(shown))
        earlier, before[:] = list(before), (method, base)  # at once: the second may be here already
        found, kept = defaults.brought(method, base, shown, earlier)
        if kept and not told:
            warn(f"Kept as you typed them: {', '.join(map(called, kept))}")
        return [before, *found]

    def fitting(base: str, method: str) -> Any:
        update = tab.methods_of(base, method)
        if update["value"] != method:
            title, now = METHODS[method].title, METHODS[update["value"]].title
            warn(f"{title} does not train on {base}, so the method is {now} now")
        return update

    fields["base"].input(
        guarded(fitting), [fields["base"], fields["method"]], fields["method"], **IN_TURN
    ).then(guarded(brought), given, [last, *numbers], **QUIET)
    fields["method"].input(guarded(brought), given, [last, *numbers], **IN_TURN)
    faults.mark(parts)
    fields["name"].change(misnamed, fields["name"], parts.misnamed, queue=False, **QUIET)
    fields["method"].change(
        guarded(lambda method: tab.unread_by(method, list(fields))),
        fields["method"],
        parts.unread,
        **QUIET,
    )


def _kept(parts: TrainParts, page: gr.Blocks) -> None:
    """The browser keeps the form, and where its pictures were uploaded to."""
    watched = {"uploads": parts.uploads, "pictures": parts.pictures, **parts.fields}
    names = json.dumps(list(watched))
    keep = f"(...values) => {{ window.studio.keepTraining({names}, values); return []; }}"
    parts.changes.hear(watched.values())
    parts.changes.changed(None, list(watched.values()), None, js=keep)

    def restored(text: str) -> dict[Any, Any]:
        found = train_form.restored(text, list(parts.fields))
        if found is None:
            return {parts.seen: gr.skip()}
        files, pictures, values, gone = found
        if gone:
            warn(f"No longer on this machine, so not among the pictures: {', '.join(gone)}")
        return {
            parts.uploads: files,
            parts.pictures: images.shown(pictures, files),
            parts.brought_for: [values[name] for name in ("method", "base") if values.get(name)],
            **{parts.fields[name]: value for name, value in values.items()},
        }

    outputs = [parts.seen, parts.brought_for, *watched.values()]
    asked = "() => [window.studio.keptTraining()]"
    page.load(guarded(restored), parts.kept, outputs, js=asked, **QUIET)


def _starting(parts: TrainParts, runner: Runner) -> None:
    shown = tab.outputs(parts)
    asking = [parts.asking, parts.question]

    again = gr.State("")  # the name that is asked about, where it begins anew
    outputs = [*asking, again, parts.refused, *shown]

    def started(files: Any, known: Any, agreed: bool, restart: bool, given: Any) -> list[Any]:
        found = train_form.checked(files, known, given, restart=restart)
        doubts = [] if agreed else train_form.doubts(found.pictures, given)
        if restart and not agreed and runner.begun(found.config.name):
            doubts.append(train_form.RESTART)
        if doubts:
            lines = "".join(f"<p>{html.escape(doubt)}</p>" for doubt in doubts)
            anew = found.config.name if restart else ""
            return [gr.update(visible=True), lines, anew, refusal(""), *[gr.skip()] * len(shown)]
        found.keep()
        runner.start(found.config, restart=restart)
        return [
            gr.update(visible=False),
            "",
            "",
            refusal(""),
            *tab.shown(runner, found.config.name),
        ]

    def starter(agreed: bool, restart: bool = False) -> Callable[..., list[Any]]:
        def start(files: Any, known: Any, anew: str, **given: Any) -> list[Any]:
            # What was learned under another name is asked about anew.
            same = anew in ("", given["name"])
            try:
                return started(
                    files, known, agreed and same, bool(anew) if agreed else restart, given
                )
            except StudioError as error:  # a toast goes; this stands until the form changes
                warn(error, on_tab)
                left: list[Any] = [gr.skip()] * len(outputs)
                left[outputs.index(parts.refused)] = refusal(on_tab(str(error)))
                return left

        return start

    buttons = (
        (parts.actions["start"], starter(False)),
        (parts.actions["restart"], starter(False, restart=True)),
        (parts.agree, starter(True)),
    )
    for button, start in buttons:
        button.click(
            guarded(start),
            [parts.uploads, parts.pictures, again],
            outputs,
            inputs_kwargs=parts.fields,
            **QUIET,
        )
    # What was asked may be answered by what is filled in since.
    asked_of = (parts.pictures, parts.fields["superclass"], parts.fields["method"])
    gr.on(
        [parts.refuse.click, *(part.change for part in asked_of)],
        lambda: gr.update(visible=False),
        None,
        parts.asking,
        queue=False,
        **QUIET,
    )


def _running(parts: TrainParts, runner: Runner, library_parts: Sequence[Any]) -> None:
    shown = tab.outputs(parts)
    name = parts.fields["name"]
    acts: dict[str, Callable[[str], None]] = {
        "pause": lambda _: runner.pause(),
        "stop": lambda _: runner.stop(),
    }
    for action, act in acts.items():
        parts.actions[action].click(guarded(_then(runner, act)), name, shown, **QUIET)

    def compared(pictures: Any, **given: Any) -> None:
        config = runner.state.config
        if config is None or (given["name"] or "").strip() not in ("", config.name):
            return  # it was not gone on with
        if other := left_out(config, pictures or (), given):
            named = ", ".join(map(called, other))
            warn(
                f"It goes on as it was begun. Other in the form, for a training of another name: {named}"
            )

    # The form does not count for what is gone on with, so that nothing in it can refuse that.
    resumed = _then(runner, runner.resume)
    resume = parts.actions["resume"].click(
        guarded(lambda name: [*resumed(name), refusal("")]), name, [*shown, parts.refused], **QUIET
    )
    resume.then(guarded(compared), parts.pictures, None, inputs_kwargs=parts.fields, **QUIET)

    def named(given: str | None) -> list[Any]:
        one = (given or "").strip()
        return [tab.progress(runner, one), *buttons(runner, one), tab.beat(runner)]

    # Of another name, and where a look at the library finds that the model has gone.
    looked = [name.change, *(part.change for part in library_parts[:1])]
    changed = [parts.progress, *parts.actions.values(), parts.timer]
    gr.on(looked, guarded(named), name, changed, **QUIET)


def _then(runner: Runner, act: Callable[[str], None]) -> Callable[[str], list[Any]]:
    def acted(name: str | None) -> list[Any]:
        named = (name or "").strip()
        act(named)
        return tab.shown(runner, named)

    return acted
