"""A picture in words, for the page's scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio import images
from studio.errors import StudioError
from studio.ui.errors import on_page
from studio.ui.library.models import library


def words_of(path: Path, base: str) -> dict[str, Any]:
    """What a picture shows, in words for a base of the library.

    Returns:
        ``{"text": …}``, or ``{"error": one line}``.
    """
    from studio.metrics.captions import caption  # which brings torch

    known = library()
    entry = None
    if base in known:
        entry = known[base]
    try:
        picture = images.to_rgb(images.open_checked(path, "picture"))
        return {"text": caption(picture, entry)}
    except StudioError as error:
        return {"error": on_page(error.message)}
