"""The map that a control row's ControlNet will see, for the card to show."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from studio import images
from studio.control import prepare
from studio.errors import BadPreset, StudioError
from studio.preset import validate
from studio.ui.models import library

DEFAULT_EDGE = 512
LARGEST_EDGE = 1024


def preview_map(value: Any) -> dict[str, str]:
    """Preprocess a row's control image at its base's native size (called from the script).

    Args:
        value: ``{"control": a row's control, "base": id}``.

    Returns:
        ``{"map": data URI of a PNG}``, or ``{"error": one line}``.
    """
    try:
        return {"map": _png(_map(value))}
    except StudioError as error:
        return {"error": str(error)}


def _map(value: Any) -> Image.Image:
    if not isinstance(value, dict) or not isinstance(value.get("control"), dict):
        raise BadPreset("expected a row's control", field="control")
    control = validate({"rows": [{"control": value["control"]}]}).rows[0].control
    assert control is not None
    edge = min(LARGEST_EDGE, library()[str(value.get("base", ""))].size or DEFAULT_EDGE)
    return prepare(control, images.resolve(control.image), (edge, edge))


def _png(image: Image.Image) -> str:
    """Lossless, so that a saved map can be given back as it is."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
