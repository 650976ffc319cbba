"""A picture's file as a JPEG, much smaller, with what the file says."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

from studio.errors import StudioError
from studio.images import open_checked, to_rgb
from studio.preset import parse
from studio.share.texts import texts_of
from studio.share.write import JPEG_QUALITY, PNG_KEY, comment_of, encode

SUFFIX = ".jpg"


def as_jpeg(path: Path) -> bytes:
    """The bytes of a JPEG that carries the preset of a picture and A1111's text of it; of one without a
    preset that is read here the text of settings that its maker wrote into it, if there is one.

    A preset that is too long for a JPEG goes without the pictures in it; where that does not do, the
    text alone is left.

    Raises:
        StudioError: the picture cannot be read; names the file.
    """
    with open_checked(path, path.name) as image:
        texts = texts_of(image, path, whole=PNG_KEY)
        whole = to_rgb(image)
    own, said = texts.get(PNG_KEY), texts.get("parameters")
    if own:
        with suppress(StudioError):
            preset = parse(own, source=PNG_KEY)
            return encode(whole, preset, SUFFIX)
    stream = io.BytesIO()
    exif = comment_of(said) if said else b""
    whole.save(stream, "JPEG", quality=JPEG_QUALITY, exif=exif)
    return stream.getvalue()
