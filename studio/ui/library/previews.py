"""Small pictures of models on the Models tab, made for those lines that are looked at."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from studio.errors import StudioError
from studio.images import open_checked, to_rgb
from studio.library.own_pictures import own_picture
from studio.ui.errors import guarded
from studio.ui.library import models
from studio.ui.widgets import EACH, Drawn, Signal, jpeg_uri

EDGE = 256
MOST_ASKED = 24  # lines on a screen, and some


class Previews(Drawn):
    """Asks for the pictures of the lines that come into sight: ``select`` with their ``ids``."""

    def __init__(self, **kwargs: Any) -> None:
        mount = "studio.askPreviews(trigger); /* 'select' */"
        super().__init__({}, mount, elem_classes=["gs-signal"], **kwargs)


def attach(asking: Previews, answer: Signal) -> None:
    """Attach the event; must be called inside ``gr.Blocks``."""

    def asked(event: gr.EventData) -> dict[str, Any]:
        ids = event.ids if isinstance(event.ids, list) else []
        return {"pictures": of([str(one) for one in ids[:MOST_ASKED]])}

    asking.select(guarded(asked), None, answer, queue=False, **EACH)


def of(ids: list[str]) -> dict[str, str]:
    """Small pictures as data URIs, by model; "" for one that has none or whose file is damaged."""
    library = models.library()
    return {
        one: _small(own_picture(one) or library[one].thumbnail) if one in library else ""
        for one in ids
    }


def _small(path: str) -> str:
    if not path:
        return ""
    try:
        return _made(path, Path(path).stat().st_mtime_ns)
    except (OSError, StudioError):
        return ""


@lru_cache(maxsize=512)
def _made(path: str, changed: int) -> str:
    del changed  # part of the key
    return jpeg_uri(to_rgb(open_checked(path, Path(path).name)), edge=EDGE)
