"""Presets: the shelf, the strip of what was made, files, links."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.history.made import replaced
from studio.integrations.code import as_command, as_python
from studio.plan.row_models import check_base
from studio.plan.size import picture_size
from studio.preset import Preset
from studio.preset.own_styles import holds_styles
from studio.share import encode_link, extract
from studio.train.runner import RUNNER
from studio.ui import run
from studio.ui.describe import check_images
from studio.ui.errors import guarded, on_page, tell, warn
from studio.ui.form import filled, to_preset, to_values
from studio.ui.history import moments as made
from studio.ui.layout import Parts
from studio.ui.library.models import library
from studio.ui.presets import copies, gallery, styles
from studio.ui.presets.back import offered
from studio.ui.runs import Runs
from studio.ui.session import Session
from studio.ui.space import Limits
from studio.ui.train.form import preset_of
from studio.ui.widgets import EACH, IN_TURN, QUIET, WITH_SESSION, fresh
from studio.ui.wiring import saving
from studio.ui.wiring.saving import SHELF, STYLES

COPIED = "copied. It makes this preset's pictures."
# The page's own address, as the browser has it behind any proxy, in the session's place.
WITH_PLACE = "(...values) => [location.origin + location.pathname, ...values.slice(1)]"


def attach(page: gr.Blocks, parts: Parts, limits: Limits, runs: Runs) -> None:
    """Attach them; must be called inside ``gr.Blocks``."""
    form, notes = parts.form, parts.signals["notes"]
    outputs = [*form.values(), notes]

    def loads(preset_of: Callable[..., tuple[Preset, list[str]]]) -> Callable[..., Any]:
        def handler(*args: Any) -> dict[Any, Any]:
            preset, notices = preset_of(*args)
            loaded = {**notes_of(preset, notices), "loaded": True}
            return filled(form, to_values(preset)) | {notes: loaded}

        return handler

    def from_shelf(session: str, event: gr.EventData) -> dict[Any, Any]:
        preset, said, image = gallery.opened(limits, str(event.id))
        found = loads(lambda: (preset, said))()
        found[notes]["image"] = image
        made_of_none(runs, session)
        return found

    for cards in (parts.shelf, parts.tour):
        cards.select(guarded(from_shelf), parts.session, outputs, js=WITH_SESSION, **IN_TURN)

    def deleted(event: gr.EventData) -> dict[str, Any]:
        return offered("Deleted", *gallery.delete(limits, str(event.id)))

    def renamed(event: gr.EventData) -> None:
        if gallery.rename(limits, str(event.id), str(event.name)):
            tell("Another of these presets has this name too", title="Preset")

    anew = partial(gallery.cards, limits)
    parts.shelf.delete(changed(deleted, anew), None, parts.shelf, **SHELF, **EACH)
    parts.shelf.edit(changed(renamed, anew), None, parts.shelf, **SHELF, **EACH)
    parts.shelf.submit(
        guarded(lambda: gallery.cards(limits)), None, parts.shelf, **SHELF, **IN_TURN
    )

    def again(session: str, event: gr.EventData) -> dict[Any, Any]:
        owner = runs.session(run.key_of(session))
        wanted = str(event.id)
        moment = made.pick(runs.shown(owner, [wanted]), wanted)
        said = replaced_of(runs, owner, moment.id)
        preset, told = moment.brought()
        loaded = loads(lambda: (extract(preset), [*said, *told]))()
        owner.parent = moment.id
        return loaded

    parts.strip.select(guarded(again), parts.session, outputs, js=WITH_SESSION, **IN_TURN)

    def from_file(session: str, path: str | None) -> Any:
        if not path:
            return gr.skip()
        if not holds_styles(Path(path)):
            loaded = loads(gallery.load_file)(Path(path))
            made_of_none(runs, session)
            return loaded
        said, notices = styles.take(Path(path), limits)
        tell(said, title="Styles")
        shown = {notes: fresh({"title": "Styles", "notes": notices})} if notices else {}
        cards = styles.cards(limits)  # their tab may not have been opened yet
        return {parts.styles: cards, parts.signals["styles"]: cards["items"]} | shown

    parts.load.upload(
        guarded(from_file, str),
        [parts.session, parts.load],
        [*outputs, parts.styles, parts.signals["styles"]],
        js=WITH_SESSION,
        **STYLES,
        **IN_TURN,
    )

    if parts.train:

        def trained(session: str, name: str) -> dict[Any, Any]:
            loaded = loads(lambda: (preset_of(RUNNER, name), []))()
            made_of_none(runs, session)
            return loaded

        named = [parts.session, parts.train.fields["name"]]
        use = parts.train.actions["use"]
        use.click(guarded(trained), named, outputs, js=WITH_SESSION, **QUIET)

    saving.attach(parts, limits, runs)
    _taken_away(parts, form, notes)
    _as_code(parts, limits)
    _elsewhere(parts, dict(form), notes)


def _taken_away(parts: Parts, form: Mapping[str, Any], notes: Any) -> None:
    def downloaded(**values: Any) -> dict[str, Any]:
        return fresh(gallery.download(to_preset(values)))

    parts.download.click(
        guarded(downloaded), None, parts.signals["download"], inputs_kwargs=dict(form), **QUIET
    )

    def linked(**values: Any) -> list[Any]:
        preset = to_preset(values)
        code, notices = encode_link(preset)
        return [fresh({"code": code}), notes_of(preset, notices)]

    parts.link.click(
        guarded(linked), None, [parts.signals["link"], notes], inputs_kwargs=dict(form), **QUIET
    )


def _as_code(parts: Parts, limits: Limits) -> None:
    """A script, or a command line, on the clipboard; on a shared page without this machine's paths."""
    signal, form = parts.signals["code"], dict(parts.form)

    def script(**values: Any) -> dict[str, Any]:
        preset = to_preset(values)
        text = as_python(preset, library(), paths=not limits.shared)
        lacks = _lacks(preset)
        said = f"Python script copied, but {lacks}" if lacks else f"Python script {COPIED}"
        return fresh({"text": text, "name": "picture.py", "said": said})

    def command(**values: Any) -> dict[str, Any]:
        preset = to_preset(values)
        lacks = _lacks(preset)
        said = f"Command line copied, but {lacks}" if lacks else f"Command line {COPIED}"
        return fresh({"text": as_command(preset), "name": "picture.sh", "said": said})

    parts.code.click(guarded(script), None, signal, inputs_kwargs=form, **QUIET)
    parts.copies["command"].click(guarded(command), None, signal, inputs_kwargs=form, **QUIET)


def _lacks(preset: Preset) -> str:
    """What the preset's pictures cannot be made without, and is not there; "" for nothing."""
    try:
        check_images(preset)
    except StudioError as error:
        return on_page(str(error))
    return ""


def _elsewhere(parts: Parts, form: dict[str, Any], notes: Any) -> None:
    """AUTOMATIC1111's text, and a QR code, with notes on what they cannot carry."""

    def for_a1111(**values: Any) -> list[Any]:
        preset = to_preset(values)
        base = check_base(library().catalogue(), preset.base, preset.vae)
        text, left = copies.for_a1111(preset, picture_size(preset, base), base.family)
        return [fresh(text), {**notes_of(preset, left), "title": "A1111's text"}]

    def code(place: str, **values: Any) -> list[Any]:
        preset = to_preset(values)
        shown, left = copies.qr(preset, place)
        return [fresh(shown), notes_of(preset, left)]

    signals, pressed = parts.signals, parts.copies
    pressed["a1111"].click(
        guarded(for_a1111), None, [signals["code"], notes], inputs_kwargs=form, **QUIET
    )
    pressed["qr"].click(
        guarded(code),
        parts.session,
        [signals["qr"], notes],
        inputs_kwargs=form,
        js=WITH_PLACE,
        **QUIET,
    )


def replaced_of(runs: Runs, owner: Session, identity: str) -> list[str]:
    """Which models of a picture of the history are not what made it any more."""
    with suppress(StudioError):
        return replaced(runs.history(owner).get(identity), library())
    return []


def changed(
    act: Callable[[gr.EventData], dict[str, Any] | None], cards: Callable[[], dict[str, Any]]
) -> Callable[[gr.EventData], dict[str, Any]]:
    """Change one card; where it cannot be, that is said, and the list is as it is by now. What ``act``
    answers goes with the list."""

    def done(event: gr.EventData) -> dict[str, Any]:
        more = None
        try:
            more = act(event)
        except StudioError as error:
            warn(error)
        return cards() | (more or {})

    return guarded(done)


def made_of_none(runs: Runs, session: Any) -> None:
    """What a session has loaded now was changed from no picture of the history."""
    runs.session(run.key_of(session)).parent = ""


def notes_of(preset: Preset, notes: list[str], looked_at: bool = False) -> dict[str, Any]:
    """What could not be carried over, all of it, for the list that stays until it is closed, or until
    none of the rows is left.

    Args:
        looked_at: whether a look tells of it, which goes with its rows too.
    """
    named = [on_page(note) for note in notes]
    followed = preset.rows if notes or looked_at else ()
    rows = [row.model_dump(mode="json") for row in followed]
    return fresh({"title": preset.name or "What was opened", "notes": named, "rows": rows})
