"""A row's picture is cropped by a box, or to the face; what is none of that is said in a line."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import skimage
from PIL import Image
from skimage import data

pytest.importorskip("gradio")

from studio import images
from studio.ui.crops import NO_FACE, NOTHING_FOUND, find_face, find_parts
from studio.ui.editor.stack import crop_image

PHOTO = Path(skimage.__file__).parent / "data" / "astronaut.png"


def test_a_row_s_picture_becomes_its_face(studio_home: Path) -> None:
    reference = images.store(PHOTO)
    box = find_face(reference)["box"]
    answer = crop_image({"image": reference, "box": box})
    face = images.resolve(answer["image"])
    assert answer["image"] != reference and answer["thumb"].startswith("data:image/jpeg")
    assert face.size == (round(box[2] * 512) - round(box[0] * 512),) * 2
    whole = Image.open(PHOTO).convert("RGB")
    corner = (round(box[0] * 512), round(box[1] * 512))
    assert face.convert("RGB").getpixel((0, 0)) == whole.getpixel(corner)
    assert images.resolve(reference).size == (512, 512)  # the whole one stays


def test_what_cannot_be_cropped_says_so(studio_home: Path) -> None:
    cat = "assets/examples/cat.png"
    assert find_face(cat) == {"error": NO_FACE}
    assert "inputs/none.png" in find_face("inputs/none.png")["error"]
    for box in (None, [0, 0, 1], [0.5, 0, 0.4, 1], [0, 0, float("nan"), 1]):
        assert crop_image({"image": cat, "box": box})["error"].startswith("crop: expected left <")
    assert "pixels are left" in crop_image({"image": cat, "box": [0, 0, 0.001, 1]})["error"]
    assert crop_image(None)["error"].startswith("crop: ")


def test_faces_in_a_picture_are_a_mask_and_what_cannot_be_found_is_said() -> None:
    picture = images.png_bytes(Image.fromarray(data.astronaut()))
    uri = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    for words in ("", " Faces, face"):
        mask = images.resolve(find_parts({"image": uri, "words": words})["mask"]).convert("L")
        assert mask.size == (512, 512)
        assert mask.getpixel((222, 115)) == 255 and mask.getpixel((400, 400)) == 0
    blank = base64.b64encode(images.png_bytes(Image.new("RGB", (64, 64)))).decode()
    blank = f"data:image/png;base64,{blank}"
    assert find_parts({"image": blank, "words": ""}) == {"error": NOTHING_FOUND}
    assert "CIDAS/clipseg" in find_parts({"image": uri, "words": "hat"})["error"]
    for wrong in (None, {}, {"image": "data:image/png;base64,AA"}, {"image": "inputs/none.png"}):
        assert find_parts(wrong)["error"]
