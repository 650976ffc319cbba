"""The bar above the strip: its order, and the switch of the scores."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.ui import run
from studio.ui.errors import guarded
from studio.ui.history.moments import SHOWN
from studio.ui.runs import Runs
from studio.ui.scores.scorer import Scorer
from studio.ui.widgets import QUIET, WITH_SESSION, Drawn, fresh

MOUNT = "studio.mountScores(element.firstElementChild, props, trigger, watch); /* 'select' */"


class ScoresBar(Drawn):
    """Asks with ``select`` for the scores of pictures that are shown; gets them as its value."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({}, MOUNT, elem_id="gs-scores", **kwargs)


def attach(bar: ScoresBar | None, session: gr.Textbox, runs: Runs) -> None:
    """Attach its event; must be called inside ``gr.Blocks``."""
    if bar is None:
        return
    scorer = Scorer(runs)

    def asked(key: str, event: gr.EventData) -> dict[str, Any]:
        """Scores by picture: those that are kept; of this session's pictures also new ones."""
        owner = runs.session(run.key_of(key))
        history = runs.history(owner)
        data = event._data or {}
        given = data.get("ids")
        wanted: list[Any] = given[:SHOWN] if isinstance(given, list) else []
        found = {}
        for moment in runs.shown(owner, map(str, wanted)):
            scores = scorer.known(history, moment)
            if not scores and moment.preset_json and data.get("compute") is True:
                scores = scorer.score(history, moment)
            found[moment.id] = scores
        return fresh({"scores": found})

    bar.select(
        guarded(asked),
        session,
        bar,
        js=WITH_SESSION,
        trigger_mode="multiple",
        concurrency_limit=4,
        **QUIET,
    )
