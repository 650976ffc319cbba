"""The Train tab's events: which button calls what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from studio.train.runner import Runner
from studio.ui.errors import guarded
from studio.ui.form import Form, filled, to_values
from studio.ui.library import models
from studio.ui.space import Limits
from studio.ui.train import form as train_form
from studio.ui.train import images, tab
from studio.ui.train.form import NUMBERS
from studio.ui.train.tab import TrainParts
from studio.ui.widgets import QUIET


def attach(
    parts: TrainParts | None,
    runner: Runner,
    page: gr.Blocks,
    form: Form,
    library_parts: Sequence[Any],
    limits: Limits,
) -> None:
    """Attach them all; must be called inside ``gr.Blocks``.

    Args:
        parts: the tab's components; ``None`` where training is off.
        form: the row editor's components, which "Use it" fills.
        library_parts: components that show the library, told anew when a model is done.
    """
    if parts is None:
        return
    fields, shown = parts.fields, tab.outputs(parts)

    def dropped(files: Any, known: list[str], listed: Any) -> tuple[None, list[str], Any]:
        every = train_form.together(known, files)
        return None, every, images.shown(train_form.listed(files, listed), every)

    kept = [parts.files, parts.uploads, parts.pictures]
    parts.files.upload(guarded(dropped), kept, kept, **QUIET)
    told = [parts.pictures, fields["word"], fields["superclass"], fields["template"]]
    parts.fill.click(guarded(train_form.filled), told, parts.pictures, **QUIET)
    fields["base"].change(
        guarded(tab.methods_of), [fields["base"], fields["method"]], fields["method"], **QUIET
    )
    for changed in (fields["method"], fields["base"]):
        changed.change(
            guarded(train_form.suggested),
            [fields["method"], fields["base"]],
            [fields["template"], *(fields[name] for name in NUMBERS)],
            **QUIET,
        )

    def start(files: Any, known: Any, *values: Any) -> list[Any]:
        given = dict(zip(fields, values, strict=True))
        runner.start(train_form.configured(files, known, given))
        return tab.shown(runner.state)

    parts.start.click(
        guarded(start), [parts.uploads, parts.pictures, *fields.values()], shown, **QUIET
    )
    parts.pause.click(guarded(_then(runner, runner.pause)), None, shown, **QUIET)
    parts.stop.click(guarded(_then(runner, runner.stop)), None, shown, **QUIET)

    def resume(name: str) -> list[Any]:
        runner.resume(name.strip())
        return tab.shown(runner.state)

    parts.resume.click(guarded(resume), fields["name"], shown, **QUIET)
    parts.use.click(
        guarded(lambda: filled(form, to_values(train_form.preset_of(runner.state)))),
        None,
        list(form.values()),
        **QUIET,
    )

    def tick(seen: str) -> list[Any]:
        state = runner.state
        fresh = state.model if state.model != seen else ""
        if fresh:
            models.rescan()
            library = [models.as_signal(), models.table(limits.shared)]
        else:
            library = [gr.skip()] * len(library_parts)
        return [*tab.shown(state), state.model, *library]

    outputs = [*shown, parts.seen, *library_parts]
    parts.timer.tick(tick, parts.seen, outputs, queue=False, **QUIET)
    page.load(tick, parts.seen, outputs, **QUIET)


def _then(runner: Runner, act: Callable[[], None]) -> Callable[[], list[Any]]:
    def acted() -> list[Any]:
        act()
        return tab.shown(runner.state)

    return acted
