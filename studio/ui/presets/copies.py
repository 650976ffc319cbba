"""The form as something to take elsewhere: a command line, AUTOMATIC1111's text, a QR code of its link."""

from __future__ import annotations

import base64
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import gradio as gr

from studio.errors import StudioError, shorten
from studio.library import family_of
from studio.preset import Preset
from studio.share import encode_link, parameters_text, unsaid
from studio.share.qr import qr_png
from studio.ui.library.models import library

LABELS = {"command": "Copy command line", "a1111": "Copy for A1111", "qr": "QR code of the link"}


def lay_out() -> dict[str, gr.Button]:
    """The buttons, by name; must be called inside ``gr.Blocks``."""
    return {
        name: gr.Button(label, size="sm", elem_id=f"gs-{name}") for name, label in LABELS.items()
    }


def for_a1111(
    preset: Preset, size: tuple[int, int], family: str = ""
) -> tuple[dict[str, Any], list[str]]:
    """The text for the clipboard, and what it leaves out.

    Args:
        size: the picture's, in pixels.
        family: the base's, where it is known; its factors of FreeU are written out.
    """
    preset = preset.model_copy(update={"base": _its_name(preset.base)})
    if family:
        freeu = preset.freeu.settled(family_of(family).freeu)
        preset = preset.model_copy(update={"freeu": freeu})
    return as_a1111(parameters_text(preset, size)), unsaid(preset)


def _its_name(base: str) -> str:
    """What the web UI calls a base: a file by its name alone, wherever it lies."""
    models = library()
    return PurePath(base).name if base in models and models[base].one_file else base


def as_a1111(text: str) -> dict[str, Any]:
    """A1111's text for the clipboard."""
    said = "A1111's text copied. Paste it into its prompt box, and press the arrow below Generate."
    return {"text": text, "name": "parameters.txt", "said": said}


def qr(preset: Preset, place: str) -> tuple[dict[str, Any], list[str]]:
    """The preset's link under the page's address ``place`` as a picture, and what it leaves out.

    Raises:
        StudioError: no address of a page; a link that is too long for a QR code.
    """
    if urlsplit(place).scheme not in ("http", "https"):
        raise StudioError(f"expected the page's address, got {shorten(place)}", field="link")
    code, notes = encode_link(preset)
    link = f"{place.partition('?')[0].partition('#')[0]}?p={code}"
    image = base64.b64encode(qr_png(link)).decode("ascii")
    return {"link": link, "image": f"data:image/png;base64,{image}"}, notes
