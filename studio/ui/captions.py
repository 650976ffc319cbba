"""A picture in words, for the page's scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio import images
from studio.errors import StudioError
from studio.ui.errors import on_page, one_line
from studio.ui.library.models import library


def words_of(path: Path, base: str, fetch: bool = False) -> dict[str, Any]:
    """What a picture shows, in words for a base of the library.

    Args:
        fetch: whether a network that is not here may be fetched for it.

    Returns:
        ``{"text": …}``, ``{"error": one line}``, or ``{"fetches": how much would be fetched first}``.
    """
    from studio.metrics import captions  # which brings torch

    known = library()
    try:
        entry = known.get(base)
        if not fetch and captions.fetches(entry):
            return {"fetches": captions.SIZE}
        picture = images.to_rgb(images.open_checked(path, "picture"))
        return {"text": captions.caption(picture, entry)}
    except StudioError as error:
        return {"error": on_page(error.message)}
    except Exception as error:  # of a network; the page stays as it is
        return {"error": one_line(error)}
