"""The texts of a picture: every encoding of a comment, every place, no picture for another."""

from __future__ import annotations

import io
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from studio import share
from studio.errors import BadPreset
from studio.share.exif import decode
from studio.share.texts import texts_of
from tests.support.other_tools import PLAIN, a1111, photo, png, read, rows, stealth

TEXT = a1111("a cat", "bad")
WIDE = "a 猫 with é and 😀"
COMMENTS = {
    "UTF-16BE": b"UNICODE\0" + TEXT.encode("utf-16-be"),
    "UTF-16LE": b"UNICODE\0" + TEXT.encode("utf-16-le"),
    "UTF-16LE with a mark": b"UNICODE\0\xff\xfe" + TEXT.encode("utf-16-le"),
    "UTF-16BE with a mark": b"UNICODE\0\xfe\xff" + TEXT.encode("utf-16-be"),
    "UTF-8 named Unicode": b"UNICODE\0" + TEXT.encode(),
    "ASCII": b"ASCII\0\0\0" + TEXT.encode(),
    "undefined": b"\0" * 8 + TEXT.encode(),
    "UTF-8 without a name": TEXT.encode(),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "filled up": b"ASCII\0\0\0" + TEXT.encode() + b"\0" * 40,
}


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS)
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
@pytest.mark.parametrize("first", [False, True], ids=["EXIF part", "first part"])
def test_a_comment_is_read_in_any_encoding(
    tmp_path: Path, comment: bytes, suffix: str, first: bool
) -> None:
    preset, _ = read(photo(tmp_path, comment, suffix, first))
    assert rows(preset) == PLAIN


@pytest.mark.parametrize("codec", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("text", ["cat", WIDE, "x" * 999, "a" + "猫" * 9])
def test_the_order_of_bytes_is_seen_from_the_text(codec: str, text: str) -> None:
    assert decode(b"UNICODE\0" + text.encode(codec)) == text


def test_letters_outside_ascii_survive(tmp_path: Path) -> None:
    for comment in (
        b"UNICODE\0" + a1111(WIDE).encode("utf-16-be"),
        b"ASCII\0\0\0" + a1111(WIDE).encode(),
    ):
        assert read(photo(tmp_path, comment))[0].rows[0].prompt == WIDE
    exif = Image.Exif()
    exif[0x9C9C] = a1111(WIDE).encode("utf-16-le") + b"\0\0"  # Windows' own comment
    Image.new("RGB", (64, 64)).save(tmp_path / "w.jpg", exif=exif.tobytes())
    assert read(tmp_path / "w.jpg")[0].rows[0].prompt == WIDE


def test_each_picture_has_its_own_text_one_after_another_and_in_threads(tmp_path: Path) -> None:
    """A reader that remembers a picture by its address gives one picture another's text."""
    plain = photo(tmp_path, b"")
    paths = [
        photo(tmp_path, b"UNICODE\0" + a1111(f"picture {i}").encode("utf-16-be")) for i in range(40)
    ]
    paths += [stealth(tmp_path, a1111(f"picture {i}")) for i in range(40, 60)]

    def prompt(path: Path) -> str:
        try:
            return share.read_image(path)[0].rows[0].prompt
        except BadPreset as error:
            return str(error)

    expected = [f"picture {i}" for i in range(60)]
    for path, words in zip(paths, expected, strict=True):
        assert prompt(path) == words
        assert "carries no preset" in prompt(plain)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(prompt, paths * 3)) == expected * 3


@pytest.mark.parametrize("place", ["alpha", "rgb"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_the_lowest_bits_carry_text(tmp_path: Path, place: str, packed: bool, suffix: str) -> None:
    if suffix == "webp" and place == "alpha":
        pytest.skip("WebP drops colours that cannot be seen; alpha is tested with PNG")
    preset, notes = read(stealth(tmp_path, TEXT, packed, place, suffix))
    assert rows(preset) == PLAIN and "AUTOMATIC1111" in notes


def test_the_lowest_bits_carry_novelai_s_chunks(tmp_path: Path) -> None:
    comment = {
        "prompt": "a cat",
        "uc": "bad",
        "scale": 7,
        "steps": 28,
        "seed": 1,
        "sampler": "k_euler",
    }
    chunks = {"Comment": json.dumps(comment), "Software": "NovelAI", "Source": "NovelAI X 12345678"}
    preset, notes = read(stealth(tmp_path, json.dumps(chunks)))
    assert rows(preset) == PLAIN and "made with NovelAI" in notes and preset.sampler.steps == 28


@pytest.mark.parametrize("length", [0, 7])
def test_lowest_bits_with_a_wrong_length_hold_nothing(tmp_path: Path, length: int) -> None:
    path = stealth(tmp_path, TEXT)
    image = Image.open(path)
    pixels = image.load()
    assert pixels is not None
    for place, bit in enumerate(f"{length:032b}", start=15 * 8):  # behind the name
        x, y = divmod(place, image.height)
        r, g, b, a = pixels[x, y]  # pyright: ignore[reportGeneralTypeIssues]
        pixels[x, y] = (r, g, b, (a & 254) | int(bit))
    image.save(path)
    with pytest.raises(BadPreset, match="carries no preset"):
        share.read_image(path)


def test_a_text_that_is_too_long_is_named(tmp_path: Path) -> None:
    long = "x" * (2**20 + 1)
    path = png(tmp_path, parameters=TEXT, other=long)
    preset, notes = read(path)
    assert rows(preset) == PLAIN
    assert "other: 1048577 characters are too long to be read" in notes
    with pytest.raises(BadPreset, match="carries no preset; parameters: 1048577 characters"):
        share.read_image(png(tmp_path, parameters=long))


@pytest.mark.parametrize("where", ["exif", "xmp"])
def test_a_long_block_beside_the_chunks_is_named(tmp_path: Path, where: str) -> None:
    size = 9 if where == "exif" else 17
    long, path = b"x" * (size * 2**20), tmp_path / "long.webp"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = long
    given = {"exif": exif.tobytes()} if where == "exif" else {"xmp": long}
    Image.new("RGB", (32, 32)).save(path, **given)  # pyright: ignore[reportArgumentType]
    with pytest.raises(BadPreset, match=r"carries no preset; .* too long to be read"):
        share.read_image(path)


def test_the_studio_s_own_preset_may_be_longer(tmp_path: Path) -> None:
    rows = [{"prompt": "x" * 4000} for _ in range(100)]
    long = json.dumps({"rows": rows, "description": "y"}) + " " * (6 * 2**20)
    preset, notes = read(png(tmp_path, guidance_studio=long))
    assert len(preset.rows) == 100 and notes == ""
    with pytest.raises(BadPreset, match=r"its preset is not valid.*longer than 8388608"):
        share.read_image(png(tmp_path, guidance_studio=long + " " * (3 * 2**20)))


def test_a_text_that_the_decoder_cannot_read_is_named(tmp_path: Path) -> None:
    path = png(tmp_path, parameters=TEXT)
    data = path.read_bytes()
    damaged = b"workflow\0\0" + b"not deflated"
    chunk = len(damaged).to_bytes(4, "big") + b"zTXt" + damaged
    chunk += zlib.crc32(b"zTXt" + damaged).to_bytes(4, "big")
    at = data.index(b"IDAT") - 4
    path.write_bytes(data[:at] + chunk + data[at:])
    preset, notes = read(path)
    assert rows(preset) == PLAIN
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        assert "workflow" not in texts_of(image).named or "workflow" in image.info
    assert "workflow" in notes or "workflow" in Image.open(path).info


def test_a_large_graph_is_read(tmp_path: Path) -> None:
    from tests.support.other_tools import comfy, graph, node

    filler = {str(i): node("Note", text="x" * 900) for i in range(100, 1800)}
    path = comfy(tmp_path, graph() | filler)
    assert len(json.dumps(graph() | filler)) > 2**20
    assert rows(read(path)[0]) == PLAIN
