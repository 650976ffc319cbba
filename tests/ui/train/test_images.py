"""The Train tab's pictures: what a browser may send, small pictures, and crops."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio")

from gradio.utils import get_upload_folder
from PIL import Image

from studio.errors import StudioError
from studio.ui.train import images
from studio.ui.train.images import Picture


def test_what_a_browser_sends_is_checked() -> None:
    sent = {"name": "a.png", "caption": " a\n cat ", "crop": [0, 0.25, 0.5, 1], "more": 1}
    found = images.from_payload({"pictures": [sent], "thumbs": {}})
    assert found == [Picture("a.png", "a cat", crop=(0.0, 0.25, 0.5, 1.0))]
    split = {"name": "a.png", "split": ["a", "b"]}
    assert images.from_payload([split]) == [Picture("a.png", split=("a", "b"))]
    for bad in ("ab", ["a"], {"a": "b"}, 7):
        assert images.from_payload([{"name": "a.png", "split": bad}]) == [Picture("a.png")]
    assert images.from_payload(None) == images.from_payload({}) == []
    for bad in (
        [0, 0, 1],
        [0.5, 0, 0.5, 1],
        [0, 0, 1, 1.1],
        [0, 0, float("nan"), 1],
        "0011",
        ["0", 0, 1, 1],
        7,
    ):
        with pytest.raises(StudioError, match=r"crop of a\.png: expected left < right"):
            images.from_payload([{"name": "a.png", "crop": bad}])
    for bad in ("a.png", [7], [{"caption": "x"}], [{"name": 3}]):
        with pytest.raises(StudioError, match="pictures"):
            images.from_payload(bad)


@pytest.fixture
def photo() -> Iterator[Path]:
    """A JPEG that was held sideways: 60x40 pixels stored, 40x60 upright, its top half red."""
    folder = Path(get_upload_folder()) / "test-photo"
    folder.mkdir(parents=True)
    image = Image.new("RGB", (40, 60), "blue")
    image.paste("red", (0, 0, 40, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    path = folder / "photo.jpg"
    image.rotate(90, expand=True).save(path, exif=exif, quality=95)
    yield path
    shutil.rmtree(folder)


def test_what_is_trained_on_is_the_crop_and_the_original_is_untouched(
    photo: Path, tmp_path: Path
) -> None:
    before = photo.read_bytes()
    upper = Picture("photo.jpg", "a red half", crop=(0.25, 0.0, 1.0, 0.5))
    images.keep({"photo.jpg": photo}, [upper], tmp_path / "kept")
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.name == images.kept_name(upper) == "photo.jpg.png"
    with Image.open(kept) as image:
        assert image.format == "PNG" and image.size == (30, 30) and not image.getexif()
        upper_part = np.asarray(image)[:26]  # JPEG blurs the boundary itself
    assert upper_part[..., 0].min() > 200 and upper_part[..., 2].max() < 60
    assert photo.read_bytes() == before
    images.keep({"photo.jpg": photo}, [Picture("photo.jpg")], tmp_path / "kept")
    assert [p.name for p in (tmp_path / "kept").iterdir()] == ["photo.jpg"]  # made anew, whole
    assert (tmp_path / "kept" / "photo.jpg").read_bytes() == before
    with pytest.raises(StudioError, match=r"crop of photo\.jpg: 40x6 pixels are left"):
        images.cropped(photo, (0.0, 0.0, 1.0, 0.1))


def test_cards_show_small_pictures_of_what_was_uploaded(photo: Path) -> None:
    (photo.parent / "torn.png").write_bytes(b"no picture")
    files = [str(path) for path in photo.parent.iterdir()]
    listed = [Picture("photo.jpg"), Picture("torn.png"), Picture("gone.png")]
    value = images.PictureCards().postprocess(images.shown(listed, files))
    assert [item["name"] for item in value["pictures"]] == ["photo.jpg", "torn.png", "gone.png"]
    assert list(value["thumbs"]) == ["photo.jpg"]
    data = base64.b64decode(value["thumbs"]["photo.jpg"].removeprefix("data:image/jpeg;base64,"))
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (40, 60)  # upright, as a crop counts it
    with pytest.raises(StudioError, match="is no uploaded file"):
        images.shown(listed, ["/etc/passwd"])
