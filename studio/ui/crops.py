"""Crops of pictures, as parts of their width and height: checked, made, and found around a face."""

from __future__ import annotations

import base64
import math
import re
from functools import reduce
from typing import Any

from PIL import Image, ImageChops

from studio import images
from studio.errors import StudioError, shorten
from studio.preprocessors.faces import Box, face_box
from studio.preprocessors.parts import parts_of
from studio.preset import validate
from studio.ui.errors import on_page, one_line

LEAST_SIDE = 16  # pixels of a crop
NOTHING_FOUND = "nothing was found; paint by hand, or try other words"
_FACES = {"", "face", "faces"}
NO_FACE = "no face that looks into the camera was found; draw the crop by hand"


def box_of(value: Any, field: str) -> Box:
    """(left, top, right, bottom) as a browser sent them.

    Raises:
        StudioError: not four numbers from 0 to 1 in order; names ``field``.
    """
    sides = value if isinstance(value, list | tuple) and len(value) == 4 else [math.nan] * 4
    numbers = (side if isinstance(side, int | float) else math.nan for side in sides)
    left, top, right, bottom = map(float, numbers)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):  # not-a-number is refused too
        raise StudioError(
            f"expected left < right and top < bottom between 0 and 1, got {shorten(value)}",
            field=field,
        )
    return left, top, right, bottom


def cut(image: Image.Image, crop: Box, field: str) -> bytes:
    """The part ``crop`` of a picture, as a PNG without metadata.

    Raises:
        StudioError: hardly anything of it would be left; names ``field``.
    """
    width, height = image.size
    left, top, right, bottom = crop
    box = (round(left * width), round(top * height), round(right * width), round(bottom * height))
    size = box[2] - box[0], box[3] - box[1]
    if min(size) < LEAST_SIDE:
        raise StudioError(
            f"{size[0]}x{size[1]} pixels are left; at least {LEAST_SIDE}x{LEAST_SIDE}", field=field
        )
    return images.png_bytes(image.crop(box))


def find_face(reference: Any) -> dict[str, Any]:
    """Where the face in an image is (called from the script).

    Args:
        reference: an image of a preset, or a data URI.

    Returns:
        ``{"box": [left, top, right, bottom]}``, or ``{"error": one line}``.
    """
    try:
        box = face_box(images.resolve(str(reference), field="picture"))
    except StudioError as error:
        return {"error": one_line(error)}
    return {"box": list(box)} if box else {"error": NO_FACE}


def find_parts(asked: Any) -> dict[str, Any]:
    """A mask of what words say in a picture (called from the script).

    Args:
        asked: ``{"image": a data URI, "words": phrases with commas between}``; no words are faces.

    Returns:
        ``{"mask": a data URI}`` of the picture's size, white where it is, or ``{"error": one line}``.
    """
    given = asked if isinstance(asked, dict) else {}
    words = str(given.get("words") or "")
    phrases = {one.strip().lower() for one in re.split("[,،]", words)}
    finder = "words" if phrases - _FACES else "faces"
    try:
        picture = images.to_rgb(images.resolve(str(given.get("image")), field="picture"))
        detail = validate({"detail": {"finder": finder, "words": words, "most": 16}}).detail
        found = parts_of(picture, detail)
    except StudioError as error:
        return {"error": on_page(error.message)}
    if not found:
        return {"error": NOTHING_FOUND}
    mask = base64.b64encode(images.png_bytes(reduce(ImageChops.lighter, found))).decode("ascii")
    return {"mask": f"data:image/png;base64,{mask}"}


def kept_part(value: Any) -> str:
    """The reference of a part of a preset's image, kept among the studio's inputs.

    Args:
        value: ``{"image": reference, "box": [left, top, right, bottom]}``.

    Raises:
        StudioError: no image, or no box of it.
    """
    given = value if isinstance(value, dict) else {}
    box = box_of(given.get("box"), "crop")
    picture = images.to_rgb(images.resolve(str(given.get("image")), field="picture"))
    return images.store(cut(picture, box, "crop"))
