"""A picture's file as a JPEG, much smaller, with what the file says."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from studio.errors import StudioError
from studio.images import open_checked, to_rgb
from studio.share.read import carried
from studio.share.texts import Texts, texts_of
from studio.share.tools.table import find
from studio.share.write import (
    MAX_COMMENT_BYTES,
    PNG_KEY,
    as_jpeg,
    comment_of,
    encode,
    utf_16_length,
)

SUFFIX = ".jpg"
# Where ComfyUI keeps its graphs in files without chunks; of two that are too long the first goes along.
_GRAPHS = (("prompt", 0x0110), ("workflow", 0x010F))


@dataclass(frozen=True)
class Lighter:
    """A JPEG's bytes, and whether all that makes the picture again went along."""

    data: bytes
    complete: bool


def lighter(path: Path) -> Lighter:
    """A JPEG that carries the preset of a picture and A1111's text of it; of one without a preset of the
    studio's the texts of settings that its maker wrote into it, if there are any.

    A preset that is too long for a JPEG goes without the pictures in it; where that does not do, the
    text alone is left.

    Raises:
        StudioError: the picture cannot be read, or a JPEG cannot hold it.
    """
    with open_checked(path, path.name) as image:
        texts = texts_of(image, path, whole=PNG_KEY)
        profile = image.info.get("icc_profile")
        whole = to_rgb(image, max(image.size))
    if profile:
        whole.info["icc_profile"] = profile
    try:
        own = carried(texts, path.name)
        if own is not None:
            return Lighter(encode(whole, own, SUFFIX), complete=True)
        unread = False
    except StudioError:
        unread = True
    data = as_jpeg(whole, _tags(texts))
    return Lighter(data, not unread and _is_read(data, texts))


def alone(path: Path) -> bytes:
    """A JPEG of a picture that says nothing of how it was made: its colours, and what these mean.

    Raises:
        StudioError: the picture cannot be read, or a JPEG cannot hold it.
    """
    with open_checked(path, path.name) as image:
        profile = image.info.get("icc_profile")
        whole = to_rgb(image, max(image.size))
    if profile:
        whole.info["icc_profile"] = profile
    return as_jpeg(whole, Image.Exif())


def _tags(texts: Texts) -> Image.Exif:
    said = texts.parameters()
    exif = comment_of(said) if said else Image.Exif()
    room = MAX_COMMENT_BYTES - utf_16_length(said)
    for name, tag in _GRAPHS:
        graph = texts.json(name)
        if graph is None:
            continue
        text = f"{name}:{json.dumps(graph, separators=(',', ':'))}"  # ASCII, as such tags are
        room -= len(text)
        if room >= 0:
            exif[tag] = text
    return exif


def _is_read(data: bytes, texts: Texts) -> bool:
    """Whether the tool's reader that knew the picture knows the JPEG, and no text is cut."""
    before = find(texts)[0]
    if before is None:
        return True
    with Image.open(io.BytesIO(data)) as image:
        new = texts_of(image)
    after = find(new)[0]
    cut = utf_16_length(texts.parameters()) > MAX_COMMENT_BYTES
    return after is not None and after.tool == before.tool and not cut
