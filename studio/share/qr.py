"""A text as a QR code (ISO/IEC 18004)."""

from __future__ import annotations

import io

from studio.errors import StudioError

MAX_BYTES = 2953  # of the largest code, at the lowest level of correction
MODULE = 4  # pixels


def qr_png(text: str, field: str = "link") -> bytes:
    """The code as a PNG, with the quiet margin that readers need.

    Raises:
        StudioError: more than a QR code holds; names ``field``.
    """
    import segno  # loaded when it is asked for

    size = len(text.encode())
    if size > MAX_BYTES:
        raise StudioError(f"a QR code holds {MAX_BYTES} bytes, and this has {size}", field=field)
    buffer = io.BytesIO()
    segno.make(text, error="l", mode="byte", micro=False).save(buffer, kind="png", scale=MODULE)
    return buffer.getvalue()
