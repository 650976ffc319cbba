"""The search on the page: its component, what it shows, and its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.ui.errors import guarded, one_line
from studio.ui.form import to_preset
from studio.ui.run import key_of
from studio.ui.tradeoff.shown import shown
from studio.ui.tradeoff.subject import known_pictures, subject_of
from studio.ui.tradeoff.tuner import LEAST, MOST, SEEDS, Tuner
from studio.ui.widgets import QUIET, WITH_SESSION, Drawn, given

HEARTBEAT = 1.0  # seconds between two looks at whether the page is still there
IDLE: dict[str, Any] = {"state": "idle", "points": []}
KEY = 16  # characters of what makes a search the same
MOUNT = (
    "studio.mountTradeoff(element.firstElementChild, props, server, upload, trigger, watch, %s);"
    " /* 'submit' 'stop' */"
)


class Tradeoff(Drawn):
    """A button that unfolds the search; ``submit`` starts it, ``stop`` ends it."""

    def __init__(self, **kwargs: Any) -> None:
        self.tuner: Tuner | None = None  # once the events are attached
        bounds = given(least=LEAST, most=MOST, each=len(SEEDS))
        super().__init__(IDLE, MOUNT % bounds, server_functions=[known_subject], **kwargs)


def known_subject(model: Any) -> dict[str, Any]:
    """How many pictures of a model's subject are here, and whose (called from the script)."""
    if not isinstance(model, str) or len(model) > 200:
        return {"count": 0, "whose": ""}
    pictures, whose = known_pictures(model)
    return {"count": len(pictures), "whose": whose}


def attach(
    page: gr.Blocks,
    panel: Tradeoff | None,
    form: Mapping[str, Any],
    session: gr.Textbox,
    tuner: Tuner,
) -> None:
    """Attach the panel's events; must be called inside ``gr.Blocks``."""
    if panel is None:
        return
    panel.tuner = tuner

    def started(session: str, event: gr.EventData, **values: Any) -> Iterator[dict[str, Any]]:
        try:
            preset, asked = to_preset(values), event._data or {}
            given = asked.get("pictures")
            subject = subject_of(preset, given if isinstance(given, list) else [])
            budget, weight = _whole(asked.get("budget")), bool(asked.get("weight"))
            tuner.start(preset, subject, budget, weight, key_of(session))
            tuner.told(str(asked.get("key", ""))[:KEY])
        except Exception as error:  # the page outlives any mistake in one event
            yield from refused(tuner, one_line(error))
            return
        yield from follow(tuner)

    def found_again() -> Iterator[Any]:
        """A page that was loaded anew shows what the search is doing."""
        yield from follow(tuner)

    panel.submit(
        started,
        session,
        panel,
        inputs_kwargs=dict(form),
        js=WITH_SESSION,
        concurrency_limit=None,
        **QUIET,
    )
    panel.stop(guarded(tuner.stop), None, None, queue=False, **QUIET)
    page.load(found_again, None, panel, concurrency_limit=None, **QUIET)


def _whole(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int | float) or given != int(given):
        raise StudioError(f"a whole number from {LEAST} to {MOST}, got {given}", field="pictures")
    return int(given)


def refused(tuner: Tuner, line: str) -> Iterator[Any]:
    """What the panel shows where a search was refused: why, beside what was searched before. One that
    runs, for another tab maybe, goes on, and why this one was refused stands as long as it does."""
    if tuner.running():
        yield from follow(tuner, line)
    else:
        yield {**shown(tuner.state), "state": "failed", "text": line, "note": "", "refused": line}


def follow(tuner: Tuner, refused: str = "") -> Iterator[Any]:
    """What the panel shows, as often as it changes, until the search has ended.

    Args:
        refused: why another search was not begun.
    """
    seen = -1
    while True:
        state = tuner.state
        with tuner.changed:  # not between a change and its version
            version, running = state.version, state.state == "running"
        if version != seen:
            yield {**shown(state), "refused": refused if running else ""}
        else:
            yield gr.skip()  # where a page that has gone is noticed
        seen = version
        if not running:
            return
        tuner.wait(seen, HEARTBEAT)
