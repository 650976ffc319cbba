"""Masks with transparency, and pictures in TIFF, AVIF and formats that need a package."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio import images
from studio.errors import StudioError
from studio.home import inputs_folder
from studio.image_files import PLUGINS
from studio.preset import Preset, validate
from studio.share.embed import embed_images, extract

HALF = np.zeros((16, 16), np.uint8)
HALF[:, 8:] = 255


def layer(colour: int, alpha: np.ndarray, mode: str = "RGBA") -> Image.Image:
    grey = Image.new("L", (16, 16), colour)
    return Image.merge(mode, [*([grey] * (len(mode) - 1)), Image.fromarray(alpha)])


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("colour", [0, 255])
def test_alpha_that_varies_is_the_mask(mode: str, colour: int) -> None:
    found = images.to_mask(layer(colour, HALF, mode))
    assert (np.asarray(found) == HALF).all()


def test_alpha_that_does_not_vary_says_nothing() -> None:
    opaque = Image.fromarray(HALF).convert("RGBA")
    assert (np.asarray(images.to_mask(opaque)) == HALF).all()
    clear = layer(0, np.zeros((16, 16), np.uint8))
    assert (np.asarray(images.to_mask(clear)) == 255).all()  # over white, as everywhere


def test_a_palette_with_transparency_is_a_mask_too() -> None:
    image = Image.fromarray((HALF // 255).astype(np.uint8), "P")
    image.putpalette([255] * 6)
    found = images.open_checked(saved(image, "PNG", transparency=0), "mask")
    assert (np.asarray(images.to_mask(found)) == HALF).all()


def test_masks_travel_as_what_they_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    layer(255, HALF).save(tmp_path / "layer.png")
    init = {"image": "layer.png", "mask": "layer.png"}
    given = validate({"rows": [{"mask": "layer.png"}], "init": init})
    inside = embed_images(given, [tmp_path])
    out = extract(inside)
    for preset in (given, inside, out):
        row, init_mask = preset.rows[0].mask, preset.init.mask  # type: ignore[union-attr]
        for ref in (row, init_mask):
            assert (np.asarray(images.resolve_mask(ref, [tmp_path])) == HALF).all()
        picture = images.resolve(preset.init.image, [tmp_path])  # type: ignore[union-attr]
        assert (np.asarray(picture) == 255).all()
    kept = images.store(tmp_path / "layer.png", mask=True)
    assert (np.asarray(images.resolve_mask(kept)) == HALF).all()
    assert inputs_folder().is_dir() and isinstance(out, Preset)


@pytest.mark.parametrize("form", ["TIFF", "AVIF"])
def test_more_formats(form: str, tmp_path: Path) -> None:
    values = np.zeros((16, 24, 3), np.uint8)
    values[:, 12:] = (200, 100, 50)
    data = saved(Image.fromarray(values), form, **({"quality": 100} if form == "AVIF" else {}))
    found = np.asarray(images.to_rgb(images.open_checked(data, "x"))).astype(int)
    assert np.abs(found - values).mean() <= (0 if form == "TIFF" else 4)
    with pytest.raises(StudioError, match=r"x: is (a damaged image|not a)"):
        images.open_checked(data[: len(data) // 2], "x")


def test_a_tiff_of_floats_and_of_16_bits() -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    found = images.to_rgb(images.open_checked(saved(Image.fromarray(ramp), "TIFF"), "x"))
    assert np.asarray(found)[..., 0].ravel().tolist() == list(range(256))
    deep = (np.arange(256, dtype=np.uint16) << 8).reshape(16, 16)
    found = images.to_rgb(images.open_checked(saved(Image.fromarray(deep), "TIFF"), "x"))
    assert np.asarray(found)[..., 0].ravel().tolist() == list(range(256))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"\0\0\0\x18ftypheic" + b"\0" * 64,
            "HEIC image; it opens once the package pillow-heif is installed .the extra .pictures",
        ),
        (
            b"\xff\x0a" + b"\0" * 64,
            "JPEG XL image; it opens once the package pillow-jxl-plugin is installed .the extra .pictures",
        ),
        (b"8BPS" + b"\0" * 64, "is not a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF image"),
    ],
)
def test_what_does_not_open_is_named(
    data: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for plugin in PLUGINS:  # also where they are installed
        monkeypatch.setitem(sys.modules, plugin.module, None)
    with pytest.raises(StudioError, match=words):
        images.open_checked(data, "init.image")
