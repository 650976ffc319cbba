"""Files that the page has sent, and what is written in a picture among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from studio.errors import BadPreset, StudioError
from studio.share import read_image, written_in
from studio.ui.errors import one_line
from studio.ui.widgets import FILE_META


def uploaded(value: Any, field: str) -> Path:
    """The file behind an uploaded value; only Gradio's own upload folder is trusted.

    Raises:
        BadPreset: no file meta, or a path outside the upload folder.
    """
    if not isinstance(value, dict) or value.get("meta") != FILE_META:
        raise BadPreset("is not an uploaded file", field=field)
    path = Path(str(value.get("path", ""))).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
        raise BadPreset("is not a file uploaded through this page", field=field)
    return path


def seed_of(value: Any) -> dict[str, Any]:
    """The seed of the preset that an uploaded picture carries (called from the script).

    Returns:
        ``{"seed": number}``, or ``{"error": one line}``.
    """
    try:
        return {"seed": read_image(uploaded(value, "picture"))[0].sampler.seed}
    except StudioError as error:
        return {"error": one_line(error)}


def settings_in(value: Any) -> dict[str, str]:
    """The settings in an uploaded picture, as its tool wrote them (called from the script).

    Returns:
        ``{"text": of one or more lines}``, or ``{"error": one line}``.
    """
    try:
        return {"text": written_in(uploaded(value, "picture"))}
    except StudioError as error:
        return {"error": one_line(error)}
