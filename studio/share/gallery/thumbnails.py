"""Small pictures of presets: made from pixels alone, so that nothing else travels with them."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from studio.images import open_checked, to_rgb

EDGE = 256  # pixels of the longer side


def small_webp(path: Path) -> bytes:
    """A picture file as a small WebP without metadata.

    Raises:
        StudioError: it cannot be read; names the file.
    """
    small = to_rgb(open_checked(path, path.name))
    small.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    plain = Image.new("RGB", small.size)
    plain.paste(small)
    buffer = io.BytesIO()
    plain.save(buffer, "WEBP", quality=85)
    return buffer.getvalue()
