"""An image file's bytes before a decoder sees them: EXIF within bounds, a PNG's long texts left out.

Decoders copy an EXIF block once for each time that it repeats its prefix, and once for each entry
that points at it, so that a small file can keep one busy for hours. What is over the bounds here
is taken out of the file; the picture itself stays as it is.
"""

from __future__ import annotations

import importlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from studio.errors import StudioError

MAX_EXIF_BYTES = 8 * 2**20
EXIF_PREFIX = b"Exif\0\0"
_PREFIXES = re.compile(rb"(?:Exif\0\0)*+")
PNG_START = b"\x89PNG\r\n\x1a\n"
EXIF_LEFT_OUT = "EXIF left out"  # what a picture's info says where that happened
_RAW = "Raw profile type exif"  # ImageMagick's way to keep EXIF in a PNG
_JPEG_START, _APP1, _START_OF_SCAN = b"\xff\xd8", 0xE1, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers of a JPEG that have no length
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Bytes of one value by its type (TIFF 6.0, p. 15; 13 is a pointer).
_UNIT = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_FOLDERS = (0x8769, 0x8825, 0xA005)  # tags that point at a further list of tags
_MOST_LISTS = 8


def bounded_exif(data: bytes) -> bytes:
    """An EXIF block with one prefix; ``b""`` for one that is damaged or costs more than it holds."""
    prefixes = _PREFIXES.match(data)
    body = data[prefixes.end() if prefixes else 0 :]
    if len(body) > MAX_EXIF_BYTES or not _is_bounded(body):
        return b""
    return EXIF_PREFIX + body


def _is_bounded(body: bytes) -> bool:
    """Whether the values of all lists together are no longer than the block, twice over."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(body[:4])
    if order is None or len(body) < 8:
        return False
    waiting, seen, total = [struct.unpack_from(f"{order}I", body, 4)[0]], set(), 0
    while waiting:
        place = waiting.pop()
        if place in seen or place + 2 > len(body):
            continue
        seen.add(place)
        if len(seen) > _MOST_LISTS:
            return False
        for tag, kind, count, value in _tags(body, place, order):
            if tag in _FOLDERS:
                waiting.append(value)
            total += min(_UNIT.get(kind, 0) * count, len(body))
            if total > 2 * len(body) + 4096:
                return False
    return True


def _tags(body: bytes, place: int, order: str) -> Iterator[tuple[int, int, int, int]]:
    (number,) = struct.unpack_from(f"{order}H", body, place)
    whole = min(number, (len(body) - place - 2) // 12)
    yield from struct.iter_unpack(f"{order}HHII", body[place + 2 : place + 2 + 12 * whole])


def with_bounded_exif(data: bytes) -> bytes:
    """A JPEG file with at most one EXIF segment, and that within bounds; others as they are.

    A JPEG's EXIF is read as soon as the file is opened, so that it is looked at before.
    """
    if not data.startswith(_JPEG_START):
        return data
    kept, last, found = [], 0, False
    for marker, start, end in _segments(data):
        if marker != _APP1 or not data.startswith(EXIF_PREFIX, start + 4):
            continue
        exif = b"" if found else bounded_exif(data[start + 4 : end])
        if exif and len(exif) == end - start - 4:
            found = True  # as it should be
            continue
        kept.append(data[last:start])
        if exif:
            kept.append(struct.pack(">BBH", 0xFF, _APP1, len(exif) + 2) + exif)
            found = True
        last = end
    return b"".join([*kept, data[last:]]) if kept else data


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of a JPEG's segments up to the picture's data."""
    place = len(_JPEG_START)
    while place + 4 <= len(data):
        if data[place] != 0xFF:  # as decoders do: on to the next marker
            place = data.find(b"\xff", place)
            if place < 0:
                return
            continue
        marker = data[place + 1]
        if marker in (0x00, 0xFF) or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        end = place + 2 + struct.unpack_from(">H", data, place + 2)[0]
        if marker == _START_OF_SCAN:
            return
        yield marker, place, min(end, len(data))
        place = max(end, place + 2)


def bound_info(info: dict[Any, Any]) -> None:
    """The same for what a decoder has read already but not looked into: PNG and WebP."""
    raw = info.pop(_RAW, None)
    if isinstance(raw, str) and "exif" not in info:
        try:
            info["exif"] = bytes.fromhex("".join(raw.split("\n")[3:]))
        except ValueError:
            return
    exif = info.get("exif")
    if isinstance(exif, bytes):
        bounded = bounded_exif(exif)
        if bounded:
            info["exif"] = bounded
        else:
            del info["exif"]
            info[EXIF_LEFT_OUT] = True


def without_texts(data: bytes) -> bytes:
    """A PNG file without its text chunks; another file as it is."""
    if not data.startswith(PNG_START):
        return data
    kept, place = [PNG_START], len(PNG_START)
    while place + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind not in _TEXTS:
            kept.append(data[place : place + 12 + length])
        place += 12 + length
    return b"".join(kept)


@dataclass(frozen=True)
class Plugin:
    """A format that Pillow opens with another package's help.

    ``starts``: (offset, bytes) of which a file has one. ``module`` registers with Pillow when it
    is imported, or through its function ``register``.
    """

    title: str
    format: str
    package: str
    module: str
    starts: tuple[tuple[int, bytes], ...]
    suffixes: tuple[str, ...]
    register: str = ""

    def opened(self, field: str) -> str:
        """Pillow's name of the format, once the package is loaded.

        Raises:
            StudioError: it is not installed; names it.
        """
        try:
            module = importlib.import_module(self.module)
        except ImportError as error:
            raise StudioError(
                f"is {self.title} image; it opens once the package {self.package} is installed "
                f"(the extra [{EXTRA}])",
                field=field,
            ) from error
        if self.register:
            getattr(module, self.register)()
        return self.format


EXTRA = "pictures"  # of the package: what the plugins come from
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
PLUGINS = (
    Plugin(
        "a HEIC",
        "HEIF",
        "pillow-heif",
        "pillow_heif",
        tuple((4, b"ftyp" + brand) for brand in _HEIF_BRANDS),
        (".heic", ".heif"),
        "register_heif_opener",
    ),
    Plugin(
        "a JPEG XL",
        "JXL",
        "pillow-jxl-plugin",
        "pillow_jxl",
        ((0, b"\xff\x0a"), (0, b"\0\0\0\x0cJXL \r\n\x87\n")),
        (".jxl",),
    ),
)


def plugin_of(data: bytes) -> Plugin | None:
    """The plugin whose format ``data`` begins as; ``None`` for what Pillow may open itself."""
    return next(
        (p for p in PLUGINS if any(data.startswith(start, at) for at, start in p.starts)), None
    )
