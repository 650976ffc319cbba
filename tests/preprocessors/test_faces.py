"""The face in a photo, for a crop: photos that scikit-image comes with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image

from studio.preprocessors.faces import face_box

PHOTOS = Path(skimage.__file__).parent / "data"


def photo(name: str) -> Image.Image:
    return Image.open(PHOTOS / name).convert("RGB")


def test_the_face_is_in_the_middle_of_a_square_with_some_room() -> None:
    whole = photo("astronaut.png")
    box = face_box(whole)
    assert box is not None
    left, top, right, bottom = (side * 512 for side in box)
    assert left < 180 < 265 < right and top < 80 < 165 < bottom  # the eyes to the chin
    assert right - left == pytest.approx(bottom - top) and right - left < 256


def test_a_crop_stays_in_the_picture_and_is_square_in_any_aspect() -> None:
    wide = photo("astronaut.png").crop((100, 40, 512, 240))  # the hair is cut off
    box = face_box(wide)
    assert box is not None and box[1] == 0.0 and box[3] <= 1.0
    assert (box[2] - box[0]) * 412 == pytest.approx((box[3] - box[1]) * 200)


@pytest.mark.parametrize("name", ["coffee.png", "rocket.jpg"])
def test_where_there_is_no_face_none_is_found(name: str) -> None:
    assert face_box(photo(name)) is None
    assert face_box(Image.fromarray(np.zeros((20, 20, 3), np.uint8))) is None  # smaller than any
