"""The styles: laid over the form, kept of it, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr

from studio.ui.errors import guarded, tell
from studio.ui.form import filled, to_preset, to_values
from studio.ui.layout import Parts
from studio.ui.presets import styles
from studio.ui.presets.back import offered
from studio.ui.space import Limits
from studio.ui.widgets import EACH, IN_TURN, QUIET, WITH_PRESSED
from studio.ui.wiring.presets import changed, notes_of
from studio.ui.wiring.saving import STYLES


def attach(parts: Parts, limits: Limits) -> None:
    """Attach the events; must be called inside ``gr.Blocks``."""
    form, notes = parts.form, parts.signals["notes"]

    def chosen(pressed: str, **values: Any) -> dict[Any, Any]:
        if not (names := json.loads(pressed)):  # the one before had them all
            return {notes: gr.skip()}
        before = to_preset(values)
        preset, said = styles.laid_over(before, names)
        lay = len(names) == 1 and styles.lies_over(before, names[0])
        told = {**notes_of(preset, said), "loaded": False, "off": names[0] if lay else ""}
        shown = {notes: told} if said else {}
        return filled(dict(form), to_values(preset)) | shown

    parts.styles.select(
        guarded(chosen),
        parts.session,
        [*form.values(), notes],
        inputs_kwargs=dict(form),
        js=WITH_PRESSED,
        **IN_TURN,
    )

    def taken_off(event: gr.EventData, **values: Any) -> dict[Any, Any]:
        preset, said = styles.taken_off(to_preset(values), str(event.id))
        tell(f"style {str(event.id)!r}: is taken off the rows", title="Style")
        return filled(dict(form), to_values(preset)) | {
            notes: {**notes_of(preset, said), "loaded": False, "taken": True}
        }

    parts.styles.off(
        guarded(taken_off), None, [*form.values(), notes], inputs_kwargs=dict(form), **EACH
    )

    def keeper(with_rows: bool) -> Callable[..., Any]:
        def kept(**values: Any) -> Any:
            if not values["name"]:
                return gr.skip()
            tell(styles.keep(to_preset(values), limits, with_rows), title="Style")
            return styles.cards(limits)

        return guarded(kept)

    # The style's name takes the place of the preset's.
    place = list(form).index("name")
    for button, with_rows in ((parts.keep_style, False), (parts.keep_rows, True)):
        asked = f"""async (...values) => {{
            const named = window.studio.askStyleName(values[{place}], {json.dumps(with_rows)});
            values[{place}] = await named;
            return values;
        }}"""
        button.click(
            keeper(with_rows),
            None,
            parts.styles,
            inputs_kwargs=dict(form),
            js=asked,
            **STYLES,
            **QUIET,
        )

    def deleted(event: gr.EventData) -> dict[str, Any]:
        return offered("Deleted", *styles.delete(str(event.id), limits))

    anew = partial(styles.cards, limits)
    parts.styles.submit(
        guarded(lambda: styles.cards(limits)),
        None,
        parts.styles,
        **STYLES,
        **IN_TURN,
    )
    parts.styles.delete(changed(deleted, anew), None, parts.styles, **STYLES, **EACH)
