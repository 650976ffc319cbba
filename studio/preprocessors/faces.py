"""Where the faces in a picture are: by the cascade that scikit-image comes with."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from studio.preset import Detail

EDGE = 320  # pixels in which it looks; in more of them it also sees faces where there is none
SURER = 10  # in a window, of which there are nine
LEAST = 24  # pixels of a face, the cascade's own window
BESIDE = 0.2  # of it beside the found square: brow, cheeks and chin
ROOM = 0.45  # around the found square, in parts of its side: hair, chin and neck

Box = tuple[float, float, float, float]


def face_box(picture: Image.Image) -> Box | None:
    """A square around the largest face, with some room, as far as the picture reaches.

    Returns:
        left, top, right and bottom in parts of the picture's width and height; ``None`` without a
        face that looks into the camera.
    """
    found = _faces(picture)
    return _around(*found[0], *picture.size) if found else None


def face_masks(picture: Image.Image, detail: Detail) -> list[Image.Image]:
    """An oval (L, of the picture's size) for each face that looks into the camera, largest first.

    Args:
        picture: RGB. detail: says nothing that matters here.
    """
    return [_oval(face, picture.size) for face in _near_and_far(picture.convert("RGB"))]


def _near_and_far(picture: Image.Image) -> list[Box]:
    """The faces of a picture, and the small ones of a large picture, which is looked at in windows of
    half its sides that overlap by half."""
    found = _faces(picture)
    width, height = picture.size
    if min(width, height) < 2 * EDGE:
        return found
    for across in range(3):
        for down in range(3):
            left, top = across * width // 4, down * height // 4
            window = picture.crop((left, top, left + width // 2, top + height // 2))
            for x, y, w, h in _faces(window, SURER):
                face = (left + x, top + y, w, h)
                if not any(_meet(face, other) for other in found):
                    found.append(face)
    return found


def _meet(one: Box, other: Box) -> bool:
    """Whether the middle of one square lies in the other."""
    pairs = ((one, other), (other, one))
    return any(
        b[0] <= a[0] + a[2] / 2 <= b[0] + b[2] and b[1] <= a[1] + a[3] / 2 <= b[1] + b[3]
        for a, b in pairs
    )


def _oval(face: Box, size: tuple[int, int]) -> Image.Image:
    """White from brow to chin, where the cascade's square holds the face's middle alone."""
    x, y, w, h = face
    mask = Image.new("L", size)
    box = (x - w * BESIDE, y - h * BESIDE, x + w * (1 + BESIDE), y + h * (1 + BESIDE))
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    return mask


def _faces(picture: Image.Image, neighbours: int = 4) -> list[Box]:
    """Left, top, width and height in pixels of each, largest first.

    Args:
        neighbours: how often the cascade has to see a face near its place.
    """
    small = picture.convert("RGB")
    small.thumbnail((EDGE, EDGE))
    found = _cascade().detect_multi_scale(
        img=np.asarray(small),
        scale_factor=1.2,
        step_ratio=1,
        min_size=(LEAST, LEAST),
        max_size=(max(small.size),) * 2,
        min_neighbor_number=neighbours,
    )
    scale = picture.width / small.width
    faces: list[Box] = [
        (scale * one["c"], scale * one["r"], scale * one["width"], scale * one["height"])
        for one in found
    ]
    return sorted(faces, key=lambda one: one[2] * one[3], reverse=True)


def _around(x: float, y: float, w: float, h: float, width: int, height: int) -> Box:
    """The square of whole pixels around a face of w × h at (x, y), moved into the picture."""
    side = round(min(max(w, h) * (1 + 2 * ROOM), width, height))
    left = round(min(max(0.0, x + w / 2 - side / 2), width - side))
    top = round(min(max(0.0, y + h / 2 - side / 2), height - side))
    return left / width, top / height, (left + side) / width, (top + side) / height


@lru_cache(maxsize=1)
def _cascade() -> Any:
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())
