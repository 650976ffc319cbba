"""Small copies of pictures, each made once and kept in the cache."""

from __future__ import annotations

import base64
import io
from contextlib import suppress

from PIL import Image

from studio.errors import StudioError
from studio.files import read_regular, write_atomically
from studio.history.record import Record
from studio.history.store import History
from studio.home import cache_folder
from studio.images import open_checked

EDGE = 224  # pixels of the longer side
MAX_BYTES = 2**20


def thumbnail(history: History, record: Record) -> str:
    """A picture's small copy as a data URI; "" where the picture cannot be read."""
    place = cache_folder() / "thumbnails" / f"{record.id}-{record.changed:x}.webp"
    data = b""
    if history.home is not None:
        with suppress(OSError):
            data = read_regular(place, MAX_BYTES)
    if not data:
        try:
            data = _made(history, record)
        except StudioError:
            return ""
        if history.home is not None:
            with suppress(StudioError):
                write_atomically(place, data)
    return "data:image/webp;base64," + base64.b64encode(data).decode("ascii")


def _made(history: History, record: Record) -> bytes:
    file = history.file(record)
    with open_checked(file, file.name) as image:
        small = image.convert("RGB")
        small.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()
