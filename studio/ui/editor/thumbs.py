"""Small pictures of a preset's images, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from functools import lru_cache

from PIL import Image

from studio import images
from studio.errors import StudioError

THUMB = 128


def thumbs(names: Iterable[str | None]) -> dict[str, str]:
    """A data URI for each image that can be read; the others are left out."""
    found = {}
    for name in sorted({name for name in names if isinstance(name, str) and name}):
        try:
            found[name] = thumb(name)
        except StudioError:
            continue  # generating with it says what is wrong with it
    return found


def thumb(reference: str) -> str:
    """A small JPEG of an image as a data URI; of what is not embedded, kept for the next time."""
    if reference.startswith("data:"):  # as a key, it would keep the whole picture in memory
        return as_uri(images.resolve(reference), THUMB)
    return _kept_thumb(reference)


@lru_cache(maxsize=128)
def _kept_thumb(reference: str) -> str:
    return as_uri(images.resolve(reference), THUMB)


def as_uri(image: Image.Image, edge: int, kind: str = "JPEG") -> str:
    """An image as a data URI, no side longer than ``edge``."""
    image = image.convert("RGB")
    image.thumbnail((edge, edge))
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=85)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{data}"
