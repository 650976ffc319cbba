"""What a page shows when it is opened or loaded anew."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.preset import Preset
from studio.share import decode_link, extract
from studio.share.link import code_in
from studio.ui.errors import guarded, warn
from studio.ui.form import filled, kept, restored, to_values
from studio.ui.layout import Parts
from studio.ui.library import models
from studio.ui.presets import gallery, look, styles
from studio.ui.runs import Runs
from studio.ui.space import Limits
from studio.ui.widgets import IN_TURN, QUIET, WITH_SESSION
from studio.ui.wiring import library, presets, settings

OPENING = "() => [window.studio.opening(), window.studio.session()]"


def attach(page: gr.Blocks, parts: Parts, limits: Limits, runs: Runs) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""

    def opened(saved: str, session: str, request: gr.Request) -> dict[Any, Any]:
        values, news, shown = _saved(saved), gr.skip(), {}
        linked, code = (None, "") if values else _linked(request)
        image = None
        mine, edited = _otherwise(saved)
        if values is None and linked is not None and mine and edited:
            values, shown = mine, look.asked(linked, limits, code)
        elif values is None and linked is None:
            values = mine
        if values is None:
            if linked is None:
                image = gallery.picture_of(limits, gallery.first_id(limits))
            preset = linked or gallery.first(limits)
            presets.made_of_none(runs, session)
            news = presets.notes_of(preset, [], looked_at=linked is not None)
            news |= {"loaded": True, "image": image}
            shown = look.opened(preset, limits, news, code) if linked else {}
            values = to_values(preset)
        library_now = dict(zip(library.shown(parts), library.listed(limits), strict=True))
        return {
            **filled(parts.form, values),
            parts.form["base"]: gr.update(
                value=values["base"], choices=models.bases(values["base"])
            ),
            parts.signals["base"]: values["base"],
            parts.signals["notes"]: news,
            parts.look: shown,
            parts.signals["preferences"]: settings.preferences(limits),
            **library_now,
        }

    def undone(event: gr.EventData) -> dict[Any, Any]:
        values = _saved(str(event.form))
        if values is None:
            raise StudioError("what was undone cannot be read", field="undo")
        return {**filled(parts.form, values), parts.signals["base"]: values["base"]}

    _look(parts, limits, runs)
    parts.undo.undo(
        guarded(undone), None, [*parts.form.values(), parts.signals["base"]], **IN_TURN
    ).then(None, None, None, js="() => { window.studio.undone(); return []; }")

    signals = [parts.signals[name] for name in ("base", "notes", "preferences")]
    outputs = [*parts.form.values(), *signals, parts.look, *library.shown(parts)]
    names = json.dumps(list(parts.form))
    filled_up = f"(...values) => {{ window.studio.pageFilled({names}, values); return []; }}"
    kept = [parts.saved, parts.session]
    page.load(guarded(opened), kept, outputs, js=OPENING, **QUIET).then(
        None, list(parts.form.values()), None, js=filled_up
    )
    page.load(guarded(lambda: gallery.cards(limits)), None, parts.shelf, **QUIET)

    def kept_styles() -> tuple[Any, Any]:
        cards = styles.cards(limits)
        return cards, cards["items"]  # the tab may not have been opened yet

    page.load(guarded(kept_styles), None, [parts.styles, parts.signals["styles"]], **QUIET)


def _linked(request: gr.Request) -> tuple[Preset | None, str]:
    """The preset of the page's link, if any, and the link's own text."""
    code = request.query_params.get("p")
    if not code:
        return None, ""
    try:
        return extract(decode_link(code)), code_in(code)
    except StudioError as error:
        warn(error)
        return None, ""


def _look(parts: Parts, limits: Limits, runs: Runs) -> None:
    """What the look at a link leads to."""

    def agreed(session: str, event: gr.EventData) -> dict[Any, Any]:
        asked = event._data or {}
        preset = extract(decode_link(str(asked.get("code"))))
        presets.made_of_none(runs, session)
        # By the look's own number it knows that it was answered: a link may as well not open.
        news = {**presets.notes_of(preset, []), "loaded": True, "look": asked.get("look")}
        return {**filled(parts.form, to_values(preset)), parts.signals["notes"]: news}

    outputs = [*parts.form.values(), parts.signals["notes"]]
    parts.look.select(guarded(agreed), parts.session, outputs, js=WITH_SESSION, **IN_TURN)
    # Of none nothing is said: one may have come by the time that the answer does.
    again = guarded(lambda shown: look.again(shown, limits) or gr.skip())
    parts.signals["models"].change(again, parts.look, parts.look, **QUIET)


def _otherwise(text: str | None) -> tuple[dict[str, Any] | None, bool]:
    """The form that a browser kept, of a page that is opened with a link, and whether it was edited."""
    with suppress(ValueError, AttributeError):
        left = json.loads(text or "{}")
        return _saved(left.get("otherwise")), bool(left.get("edited"))
    return None, False


def _saved(text: str | None) -> dict[str, Any] | None:
    """The form as this browser left it; nothing where there is none that can be read."""
    try:
        values = kept(text)
        return restored(values) if isinstance(values, dict) else None
    except (StudioError, ValueError, TypeError):
        return None
