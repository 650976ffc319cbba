"""The map that a control row's ControlNet will see, for the card to show."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any, TypeGuard

from PIL import Image

from studio import images
from studio.errors import BadPreset, StudioError
from studio.preprocessors.control_map import prepare
from studio.preset import validate
from studio.ui.errors import one_line
from studio.ui.library.models import library

DEFAULT_EDGE = 512
LARGEST_EDGE = 1024


def preview_map(value: Any) -> dict[str, str]:
    """Preprocess a row's control image at the size of the picture (called from the script).

    Args:
        value: ``{"control": a row's control, "base": id, "size": [width, height]}``; without a
            size, the base's own.

    Returns:
        ``{"map": data URI of a PNG}``, or ``{"error": one line}``.
    """
    try:
        return {"map": _png(_map(value))}
    except StudioError as error:
        return {"error": one_line(error)}


def _map(value: Any) -> Image.Image:
    if not isinstance(value, dict) or not isinstance(value.get("control"), dict):
        raise BadPreset("expected a row's control", field="control")
    control = validate({"rows": [{"control": value["control"]}]}).rows[0].control
    assert control is not None
    return prepare(control, images.resolve(control.image), _size(value))


def _size(value: dict[str, Any]) -> tuple[int, int]:
    """Width and height as asked for, their aspect kept where they are larger than a preview."""
    size = value.get("size")
    if not _is_size(size):
        edge = library()[str(value.get("base", ""))].size or DEFAULT_EDGE
        size = (edge, edge)
    shrink = min(1.0, LARGEST_EDGE / max(size))
    width, height = (max(1, round(edge * shrink)) for edge in size)
    return width, height


def _is_size(size: Any) -> TypeGuard[Sequence[float]]:
    return (
        isinstance(size, list)
        and len(size) == 2
        and all(isinstance(edge, (int, float)) and 16 <= edge < 1e5 for edge in size)
    )


def _png(image: Image.Image) -> str:
    """Lossless, so that a saved map can be given back as it is."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
