"""What is wrong with a model's name, said below it while it is typed."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.home import models_folder
from studio.train.checks import check_spelling
from studio.ui.library import models


def misnamed(name: str) -> Any:
    """What is wrong with a model's name, below it while it is typed."""
    name, said = (name or "").strip(), ""
    try:
        if name:
            check_spelling(name)
            check_free(name)
    except StudioError as error:
        said = error.message
    line = f'<span class="gs-error" role="alert">{html.escape(said)}</span>'
    return gr.update(value=line if said else "", visible=bool(said))


def check_free(name: str) -> None:
    """Refuse the name of a model that no training of this studio made.

    Raises:
        StudioError: names ``name``.
    """
    if name in models.library() and not (models_folder() / name).exists():
        raise StudioError(f"the library already holds {name!r}; choose another", field="name")
