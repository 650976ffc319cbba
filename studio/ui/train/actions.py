"""What can be done with a training, and when."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.train.method import METHODS
from studio.train.runner import Runner

# Name, label, and whether it can be pressed before anything has begun.
ACTIONS = (
    ("start", "Train", True),
    ("pause", "Pause", False),
    ("resume", "Resume", False),
    ("restart", "Restart", False),
    ("stop", "Stop and keep", False),
    ("use", "Use it", False),
    ("sweep", "Sweep over ω", False),
)


def possible(runner: Runner, name: str = "") -> dict[str, bool]:
    """Which of :data:`ACTIONS` mean anything now, ``name`` being the one in the form."""
    state = runner.state
    running, made = state.status == "running", runner.made(name) is not None
    return {
        "start": not running,
        "pause": running,
        "resume": runner.can_resume(name),
        "restart": not running and runner.begun(name),
        "stop": running or state.status == "paused",
        "use": made,
        "sweep": made,
    }


def buttons(runner: Runner, name: str = "") -> list[Any]:
    """The actions, those lit that are possible."""
    lit = possible(runner, name)
    _, method = runner.made(name) or ("", "")
    alone = method in METHODS and METHODS[method].without_text  # a concept: ω changes nothing
    titles = {"sweep": "Sweep over weight"} if alone else {}
    return [
        gr.update(interactive=lit[action], value=titles.get(action, title))
        for action, title, _ in ACTIONS
    ]
