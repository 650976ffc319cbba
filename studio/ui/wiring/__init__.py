"""The wiring: which event calls what, and which components it changes."""

from __future__ import annotations

import gradio as gr

from studio.train.runner import RUNNER
from studio.ui import api
from studio.ui.explain import panel as explaining
from studio.ui.layout import Parts
from studio.ui.library import fetch
from studio.ui.runs import Runs
from studio.ui.scores import bar
from studio.ui.space import Limits
from studio.ui.tradeoff import panel
from studio.ui.tradeoff.tuner import Tuner
from studio.ui.train import events as training
from studio.ui.wiring import (
    galleries,
    generation,
    history,
    library,
    opening,
    presets,
    settings,
    styles,
    sweep,
)


def connect(page: gr.Blocks, parts: Parts, limits: Limits, runs: Runs) -> None:
    """Attach every event handler; must be called inside ``gr.Blocks``."""
    generation.attach(page, parts, limits, runs)
    opening.attach(page, parts, limits, runs)
    presets.attach(page, parts, limits, runs)
    styles.attach(parts, limits)
    galleries.attach(parts, limits, runs)
    history.attach(parts, limits, runs)
    sweep.attach(page, parts, limits, runs)
    library.attach(parts, limits)
    settings.attach(parts, limits)
    shown = library.shown(parts)
    training.attach(parts.train, RUNNER, page, shown, limits)
    explaining.attach(parts.explain, parts.session, parts.strip, limits, runs)
    bar.attach(parts.scores, parts.session, runs)
    panel.attach(page, parts.tradeoff, parts.form, parts.session, Tuner(runs))
    fetch.attach(parts.fetch, shown, limits)
    api.attach(limits, runs)
    sides = [parts.form["width"], parts.form["height"]]
    parts.swap.click(None, sides, sides, js="(width, height) => [height, width]")
    parts.dice.click(None, None, parts.form["seed"], js="() => [window.studio.newSeed()]")
    parts.reseed.click(None, None, None, js="() => { window.studio.turnSeed(); return []; }")
    parts.theme.click(None, None, None, js="() => { window.studio.toggleTheme(); return []; }")
