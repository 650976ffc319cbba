"""Where the face in a picture is, for a crop: by the cascade that scikit-image comes with."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

EDGE = 320  # pixels in which it looks; in more of them it also sees faces where there is none
LEAST = 24  # pixels of a face, the cascade's own window
ROOM = 0.45  # around the found square, in parts of its side: hair, chin and neck

Box = tuple[float, float, float, float]


def face_box(picture: Image.Image) -> Box | None:
    """A square around the largest face, with some room, as far as the picture reaches.

    Returns:
        left, top, right and bottom in parts of the picture's width and height; ``None`` without a
        face that looks into the camera.
    """
    small = picture.convert("RGB")
    small.thumbnail((EDGE, EDGE))
    found = _cascade().detect_multi_scale(
        img=np.asarray(small),
        scale_factor=1.2,
        step_ratio=1,
        min_size=(LEAST, LEAST),
        max_size=(max(small.size),) * 2,
    )
    if not found:
        return None
    face = max(found, key=lambda one: one["width"] * one["height"])
    scale = picture.width / small.width
    x, y, w, h = (scale * face[name] for name in ("c", "r", "width", "height"))
    return _around(x, y, w, h, *picture.size)


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
