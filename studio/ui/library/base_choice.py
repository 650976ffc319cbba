"""A model of the Models tab becomes the form's base."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio.plan.row_models import check_base
from studio.ui.errors import guarded
from studio.ui.library import models
from studio.ui.widgets import IN_TURN, Drawn, Signal


class BaseChoice(Drawn):
    """Hears the buttons of the list: ``select`` with the model's ``id``; shows nothing."""

    def __init__(self, **kwargs: Any) -> None:
        mount = "studio.hearBases(trigger); /* 'select' */"
        super().__init__({}, mount, elem_classes=["gs-signal"], **kwargs)


def attach(chosen: BaseChoice, base: gr.Dropdown, signal: Signal) -> None:
    """Attach the event; must be called inside ``gr.Blocks``."""

    def taken(event: gr.EventData) -> dict[Any, Any]:
        name = str(event.id)
        check_base(models.library().catalogue(), name)  # it may have gone since
        return {base: gr.update(value=name, choices=models.bases(name)), signal: name}

    chosen.select(guarded(taken), None, [base, signal], **IN_TURN)
