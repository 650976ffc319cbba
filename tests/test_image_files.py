"""EXIF within bounds, and a picture that is whole whatever its texts are."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from studio import image_files, images
from studio.image_files import EXIF_PREFIX, bounded_exif, with_bounded_exif
from studio.share.write import EXIF_IFD, USER_COMMENT

ORIENTATION = 0x0112


def exif(orientation: int = 6, comment: bytes = b"UNICODE\0" + "ab".encode("utf_16_be")) -> bytes:
    found = Image.Exif()
    found[ORIENTATION] = orientation
    found.get_ifd(EXIF_IFD)[USER_COMMENT] = comment
    return found.tobytes()


def encoded(form: str, block: bytes) -> bytes:
    values = np.random.default_rng(1).integers(0, 255, (16, 32, 3), np.uint8)
    buffer = io.BytesIO()
    options = {"exif": block} if form != "JPEG" else {}
    Image.fromarray(values).save(buffer, form, **options)
    data = buffer.getvalue()
    if form != "JPEG":
        return data
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    return data[:2] + segment + data[2:]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_whole_block_stays(form: str) -> None:
    image = images.open_checked(encoded(form, exif()), "x")
    assert image.size == (32, 16) and images.to_rgb(image).size == (16, 32)
    comment = image.getexif().get_ifd(EXIF_IFD)[USER_COMMENT]
    assert comment == b"UNICODE\0" + "ab".encode("utf_16_be")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("at", [6, 8, 10, 14, 20])
def test_a_damaged_block_leaves_the_picture(form: str, at: int) -> None:
    block = bytearray(exif(1))
    block[at] ^= 0x5A
    assert images.to_rgb(images.open_checked(encoded(form, bytes(block)), "x")).width == 32


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    plain = encoded("PNG", b"")
    made = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return plain[:33] + made + plain[33:]


def test_a_prefix_that_repeats_is_read_in_time() -> None:
    begun = time.process_time()
    repeated = EXIF_PREFIX * 1_000_000
    assert bounded_exif(repeated) == b""
    assert bounded_exif(repeated + exif()[6:]) == exif()
    assert images.to_rgb(images.open_checked(png_with((b"eXIf", repeated)), "x")).width == 32
    plain = encoded("JPEG", exif())
    segment = b"\xff\xe1\xff\xff" + (EXIF_PREFIX * 11000)[: 65535 - 2]
    assert images.open_checked(plain[:2] + segment * 400 + plain[2:], "x").size == (32, 16)
    assert time.process_time() - begun < 3


def test_entries_that_share_their_bytes_are_too_many() -> None:
    """Each of 3,000 entries points at the same 60 kB: 180 MB for a reader that copies each."""
    entries = b"".join(struct.pack("<HHII", n, 7, 60_000, 8) for n in range(3000))
    block = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 3000) + entries + b"\0" * 30_000
    assert bounded_exif(EXIF_PREFIX + block) == b""
    data = with_bounded_exif(encoded("JPEG", EXIF_PREFIX + block[: 65535 - 8]))
    assert b"Exif" not in data


def test_lists_of_tags_that_lead_in_a_circle() -> None:
    block = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1)
    block += struct.pack("<HHII", EXIF_IFD, 4, 1, 8) + b"\0" * 4
    assert bounded_exif(block) == EXIF_PREFIX + block


@pytest.mark.parametrize("mebibytes", [2, 40])
def test_a_long_text_is_no_damage(mebibytes: int) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "0123456789abcdef" * (mebibytes * 2**16), zip=True)
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "PNG", pnginfo=info)
    image = images.open_checked(buffer.getvalue(), "picture")
    assert image.convert("RGB").getpixel((3, 3)) == (255, 0, 0)
    assert len(image_files.without_texts(buffer.getvalue())) < 200
