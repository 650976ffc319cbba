"""Small components of the page, each drawn by a function in ``static/``."""

from __future__ import annotations

import base64
import io
import itertools
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

# Of an event that draws no overlay. Told on no component, or Gradio would copy the state of every
# output of the page at each step of every event, for looks that are hidden.
UNSHOWN: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": []}
# Of one that is no public endpoint either.
QUIET: dict[str, Any] = {**UNSHOWN, "api_visibility": "private"}
# Of one that says something of its own each time: it counts though the last is not answered yet.
# By itself Gradio drops it.
EACH: dict[str, Any] = {**QUIET, "trigger_mode": "multiple"}
# Of one that takes the form and gives it back changed: it waits for the last one's answer. Gradio
# repeats the first one's words then, so a script tells them by studio.newest.
IN_TURN: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}
# The session's key goes with every event that needs it, as its first value.
WITH_SESSION = "(...values) => [window.studio.session(), ...values.slice(1)]"
# All that was pressed since the last time, for which Gradio asks but once, in the session's place.
WITH_PRESSED = "(...values) => [window.studio.pressed(), ...values.slice(1)]"
FILE_META = {"_type": "gradio.FileData"}
PREVIEW_EDGE = 768
SIGNALS = (  # what the page's scripts are told
    "models",
    "base",
    "shares",
    "download",
    "link",
    "code",
    "qr",
    "notes",
    "idle",
    "fault",
    "previews",
    "sweep",
    "sweeplooked",
    "sweepaxes",
    "sweepfile",
    "sweepkept",
    "saved",
    "kept",
    "marked",
    "styles",
    "preferences",
)
# Counts on after a restart, and not back where a clock is put back.
_numbers = itertools.count(time.time_ns() // 1000)


def picture(path: str | Path, caption: str = "") -> dict[str, Any]:
    """An image file for the browser; Gradio copies it into its cache and adds the address."""
    file = {"path": str(path), "meta": FILE_META}
    return {"file": file, "name": Path(path).name, "caption": caption}


def fresh(value: dict[str, Any]) -> dict[str, Any]:
    """Make a signal's value differ from the last one, so that the same twice is heard twice."""
    return {**value, "nonce": next(_numbers)}


def stamped(value: dict[str, Any]) -> dict[str, Any]:
    """Let a part that shows the newest value know which one that is."""
    return {**value, "stamp": next(_numbers)}


def jpeg_uri(image: Image.Image, quality: int = 85, edge: int = PREVIEW_EDGE) -> str:
    """A preview as a data URI: no file, and no flicker when it is replaced."""
    image = image.convert("RGB")
    image.thumbnail((edge, edge))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def given(**constants: Any) -> str:
    """Constants as an argument of a script. As props they would be lost: those of a part that is
    not mounted yet, such as a tab, go with the second update of its value."""
    return json.dumps(constants)


class Drawn(gr.HTML):
    """A component whose value is JSON and whose looks are a script's."""

    def __init__(self, value: Any, mount: str, **kwargs: Any) -> None:
        word = "trigger = studio.withWord(trigger);"  # of a change that does not arrive
        super().__init__(
            value,
            html_template="<div></div>",
            js_on_load=f"{word} {mount}" if "trigger" in mount else mount,
            apply_default_css=False,
            **kwargs,
        )

    def postprocess(self, value: Any) -> Any:
        """The value as it is: JSON."""
        return value

    def api_info(self) -> dict[str, Any]:
        """Any JSON."""
        return {"type": {}, "description": "any valid json"}


class Whole(Drawn):
    """One whose answers each hold all that there is, as a list after one of it was deleted: the one
    that the server gave last stands, though it overtakes another on the way."""

    def __init__(self, value: Any, mount: str, **kwargs: Any) -> None:
        super().__init__(value, f"props = studio.lastGiven(props, watch); {mount}", **kwargs)

    def postprocess(self, value: Any) -> Any:
        """The value with its stamp."""
        return stamped(value) if isinstance(value, dict) else value


class Signal(Drawn):
    """Tells the page's scripts something under ``name``, which they can ask for by ``submit``; shows
    nothing."""

    def __init__(self, name: str, value: Any = None, **kwargs: Any) -> None:
        mount = f"studio.signal(props, watch, trigger, '{name}'); /* 'submit' */"
        super().__init__(value, mount, elem_classes=["gs-signal"], **kwargs)


class Stage(Drawn):
    """The preview while it forms, then the results; keeping an unfinished one triggers ``select``."""

    def __init__(self, **kwargs: Any) -> None:
        mount = (
            "studio.mountStage(element.firstElementChild, props, trigger, watch); /* 'select' */"
        )
        super().__init__({"state": "empty", "images": []}, mount, elem_id="gs-stage", **kwargs)


class Cards(Whole):
    """Pictures to choose from; choosing one triggers ``select`` with its id, ``delete`` and ``edit``
    (with a name) do so for a person's own, and ``replace`` puts the form in its place, ``off`` takes a
    style off the form; ``submit`` where another tab has changed them. The strip's ``edit`` asks the history to star, delete or bring back."""

    def __init__(self, variant: str, empty: str, what: str = "presets", **kwargs: Any) -> None:
        # Gradio reads an attribute for each argument; HTML makes up those that are not set.
        self.variant, self.empty, self.what = variant, empty, what
        constants = given(variant=variant, empty=empty, what=what)
        mount = (
            f"studio.mountCards(element.firstElementChild, props, trigger, watch, {constants});"
            " /* 'select' 'delete' 'edit' 'replace' 'submit' 'off' */"
        )
        super().__init__({"items": []}, mount, **kwargs)


class HistoryView(Drawn):
    """Everything that was made; asking for a part of it triggers ``select``, using a picture again
    ``submit``. ``bounds``: of what is said of a picture."""

    def __init__(self, bounds: Mapping[str, int], **kwargs: Any) -> None:
        self.bounds = dict(bounds)
        mount = (
            "studio.mountHistory(element.firstElementChild, props, trigger, watch, "
            f"{given(**bounds)}); /* 'select' 'submit' */"
        )
        super().__init__({}, mount, elem_id="gs-history-view", **kwargs)


class Changes(Drawn):
    """Triggers ``changed`` once for all changes of a form that come together; shows nothing.

    Args:
        form: ``preset``, ``training`` or ``merge``; ``looks``, which is none.
    """

    def __init__(self, form: str, **kwargs: Any) -> None:
        self.of = form
        mount = f"studio.mountChanges(trigger, {form!r}); /* 'changed' */"
        super().__init__({}, mount, elem_classes=["gs-signal"], **kwargs)

    def hear(self, components: Iterable[Any]) -> None:
        """Of changes of these. What scripts draw tells of its own: before Gradio begins an event
        it copies the state of all that it listens to, and a page with more events opens later."""
        for component in components:
            if isinstance(component, gr.HTML):
                telling = f"props = studio.telling({self.of!r}, props, watch);"
                component.js_on_load = f"{telling} {component.js_on_load}"
            else:
                tell = f"() => {{ window.studio.formChanged({self.of!r}); return []; }}"
                component.change(None, js=tell)


class UndoButtons(Drawn):
    """Undo and redo over the whole form; either triggers ``undo`` with the form to go back to."""

    def __init__(self, **kwargs: Any) -> None:
        mount = "studio.mountUndo(element.firstElementChild, trigger); /* 'undo' */"
        super().__init__({}, mount, elem_id="gs-undo", **kwargs)
