"""Images from outside: what is kept, what is found, and what is refused before decoding."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio import images
from studio.errors import MissingFile, StudioError


def same(a: Any, b: Any) -> bool:
    return np.array_equal(np.asarray(a), np.asarray(b))


def noise(width: int = 20, height: int = 10, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its data does not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"")
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_store_names_by_content(studio_home: Path, tmp_path: Path) -> None:
    ref = images.store(noise())
    path = tmp_path / "given.bmp"
    noise().save(path)
    assert images.store(path) == images.store(encoded(noise())) == ref
    assert images.store(noise(seed=1)) != ref
    assert images.store(noise(10, 20)) != ref
    assert sorted(p.suffix for p in (studio_home / "inputs").iterdir()) == [".png", ".png", ".png"]
    assert same(images.resolve(ref), noise())


def test_store_makes_plain_rgb(studio_home: Path) -> None:
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert images.resolve(images.store(clear)).getpixel((0, 0)) == (255, 255, 255)
    half = Image.new("LA", (4, 4), (0, 128))
    assert images.resolve(images.store(half)).getpixel((0, 0)) == (127, 127, 127)
    palette = Image.new("P", (4, 4))
    palette.putpalette([9, 8, 7] * 256)
    assert images.resolve(images.store(palette)).getpixel((1, 1)) == (9, 8, 7)
    deep = Image.fromarray(np.full((4, 4), 0x80FF, np.uint16))
    assert images.resolve(images.store(encoded(deep))).getpixel((0, 0)) == (128, 128, 128)


def test_store_turns_upright_and_takes_the_first_frame(studio_home: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees
    assert images.resolve(images.store(encoded(noise(), "JPEG", exif=exif))).size == (10, 20)
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    animated = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert images.resolve(images.store(animated)).getpixel((0, 0)) == (255, 0, 0)


def test_large_pictures_are_made_smaller(studio_home: Path) -> None:
    wide = Image.new("RGB", (images.MAX_EDGE * 2, 16), "red")
    assert images.resolve(images.store(wide)).size == (images.MAX_EDGE, 8)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello", "is not a PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is not a PNG"),
        (encoded(noise(200, 200))[:-500], "damaged"),
        (encoded(noise(200, 200), "JPEG")[:600], "damaged"),
        (encoded(noise(200, 200))[:30], ""),
        (bomb(8001, 8000), "megapixels"),
        (bomb(60_000, 60_000), "megapixels"),
        (bomb(100, 100), "damaged"),
    ],
)
def test_refused(data: bytes, words: str) -> None:
    with pytest.raises(StudioError) as caught:
        images.store(data, field="cat.png")
    assert caught.value.field == "cat.png"
    assert words in caught.value.message
    assert "\n" not in str(caught.value)


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(images.MAX_FILE_BYTES + 1)
    with pytest.raises(StudioError, match="bytes"):
        images.store(path)


def test_references(studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "assets"
    (shipped / "examples").mkdir(parents=True)
    noise().save(shipped / "examples" / "cat.png")
    monkeypatch.setattr(images, "ASSETS", shipped)
    beside = tmp_path / "mine"
    beside.mkdir()
    noise(seed=3).save(beside / "own.png")
    uri = "data:image/png;base64," + base64.b64encode(encoded(noise(seed=4))).decode()
    assert same(images.resolve("assets/examples/cat.png"), noise())
    assert same(images.resolve("own.png", [beside]), noise(seed=3))
    assert same(images.resolve(uri), noise(seed=4))


@pytest.mark.parametrize(
    "ref",
    [
        "",
        ".",
        "/etc/passwd",
        "../secret.png",
        "inputs/../../secret.png",
        "inputs/link.png",
        "inputs/missing.png",
        "inputs",
        "inputs/",
        "secret.png",
        "~/secret.png",
        "C:\\secret.png",
        "C:/secret.png",
        "file:///etc/passwd",
        "https://example.org/a.png",
        "inputs/a\0.png",
        "x" * 5000,
    ],
)
def test_nothing_outside_is_read(studio_home: Path, ref: str) -> None:
    noise().save(studio_home / "secret.png")
    (studio_home / "inputs").mkdir()
    (studio_home / "inputs" / "link.png").symlink_to(studio_home / "secret.png")
    with pytest.raises(MissingFile) as caught:
        images.resolve(ref, field="rows.2.control.image")
    assert str(caught.value).startswith("rows.2.control.image: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    ["data:text/html;base64,AAAA", "data:image/png,abc", "data:image/png;base64,@@", "data:"],
)
def test_bad_data_uris(uri: str) -> None:
    with pytest.raises(StudioError, match="image"):
        images.resolve(uri)


def test_writing_where_one_may_not(studio_home: Path) -> None:
    (studio_home / "inputs").write_text("a file, not a folder")
    with pytest.raises(StudioError, match="cannot be written"):
        images.store(noise())
