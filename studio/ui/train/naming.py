"""What is wrong with a model's name, said below it while it is typed."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.home import training_folder
from studio.library.naming import check_spelling
from studio.train.begun import SETTINGS, check_name
from studio.ui.library import models


def misnamed(name: str) -> Any:
    """What is wrong with a model's name, below it while it is typed."""
    name, said = (name or "").strip(), ""
    try:
        if name:
            check_spelling(name)
            begun = (training_folder(name) / SETTINGS).is_file()
            check_name(name, models.library(), replace=begun)
    except StudioError as error:
        said = error.message
    line = f'<span class="gs-error" role="alert">{html.escape(said)}</span>'
    return gr.update(value=line if said else "", visible=bool(said))
