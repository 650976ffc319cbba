"""Every text that an image file carries, by name: chunks, EXIF, XMP, IPTC, comments, lowest bits.

Readers of other tools get these texts and nothing else of the picture but its size, so that no
two pictures can be taken for each other.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from PIL import Image, IptcImagePlugin

from studio.files import open_regular
from studio.image_files import EXIF_LEFT_OUT
from studio.images import MAX_FILE_BYTES
from studio.share.exif import exif_texts
from studio.share.stealth import stealth_text

MAX_TEXT = 4 * 2**20  # characters of one text that is JSON, such as a large graph
MAX_PLAIN = 2**20  # of another one
MAX_TEXTS = 200
_XMP = ("XML:com.adobe.xmp", "xmp")
_XMP_TEXTS = {  # an element's text is at most what one text may have, and holds no element itself
    "xmp:CreatorTool": "CreatorTool",
    "dc:description": "XmpDescription",
    "exif:UserComment": "XmpUserComment",
}
_IPTC = {(2, 65): "OriginatingProgram", (2, 120): "Caption"}
_BYTES = ("comment", "xmp", "XML:com.adobe.xmp")  # what a decoder leaves as bytes, and is text
_GRAPHS = ("prompt", "workflow")  # ComfyUI's, behind their names in a tag of EXIF
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
MAX_CHUNKS = 20_000


@dataclass(frozen=True)
class Texts:
    """An image's texts by name, its size in pixels, and notes on texts that were left unread."""

    named: Mapping[str, str]
    size: tuple[int, int] = (0, 0)
    notes: list[str] = field(default_factory=list)

    def get(self, *names: str) -> str:
        """The first text of these names that there is; "" for none."""
        return next((self.named[name] for name in names if self.named.get(name)), "")

    def parameters(self) -> str:
        """The text that most tools write: ``parameters`` in a PNG, a comment elsewhere."""
        return self.get("parameters", "UserComment", "ImageDescription", "comment", "XPComment")

    def json(self, *names: str) -> dict[str, Any] | None:
        """The JSON object in the first text of these names; ``None`` where it is none."""
        return json_object(self.get(*names))


def json_object(text: object) -> dict[str, Any] | None:
    """A JSON object from text; ``None`` for anything else. An object is returned as it is."""
    if isinstance(text, dict):
        return text
    if not isinstance(text, str) or text.lstrip()[:1] != "{" or len(text) > MAX_TEXT:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # ValueError: also integers of 4300 digits
        return None
    return found if isinstance(found, dict) else None


def texts_of(image: Image.Image, path: Path | None = None, whole: str = "") -> Texts:
    """The texts of an image that was opened from a file.

    Args:
        path: the file, to name the texts that the decoder could not read.
        whole: the name of a text that is kept at any length; its reader has a bound of its own.
    """
    found: dict[str, object] = {}
    for source in (image.info, getattr(image, "text", {})):
        found |= {str(k): v for k, v in source.items() if isinstance(v, str) or k in _BYTES}
    found |= exif_texts(image)
    found |= _iptc(image)
    for name in _XMP:
        found |= _xmp(found.get(name))
    named: dict[str, str] = {}
    notes: list[str] = []
    for name, value in list(found.items())[:MAX_TEXTS]:
        text = _as_text(value)
        length = len(value) if isinstance(value, bytes) and not text else len(text)
        if name != whole and length > (MAX_TEXT if text.startswith("{") else MAX_PLAIN):
            notes.append(f"{name[:60]}: {length} characters are too long to be read")
        elif text:
            named[name] = text
    notes += [
        f"{name}: its text is damaged or too long to be read"
        for name in _png_names(path)
        if name not in found
    ]
    if image.info.get(EXIF_LEFT_OUT):
        notes.append("its EXIF block is damaged or too long to be read")
    _add_graphs(named)
    if not any(name in named for name in ("parameters", "prompt", "Comment", "UserComment")):
        _add_stealth(image, named)
    return Texts(named, image.size, notes)


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace") if len(value) <= 4 * MAX_TEXT else ""
    return value if isinstance(value, str) else ""


def _add_graphs(named: dict[str, str]) -> None:
    """ComfyUI's graphs in tags of EXIF: ``prompt:{…}`` and ``workflow:{…}``."""
    for text in list(named.values()):
        for name in _GRAPHS:
            if text.startswith(f"{name}:") and text[len(name) + 1 :].lstrip().startswith("{"):
                named.setdefault(name, text[len(name) + 1 :])


def _add_stealth(image: Image.Image, named: dict[str, str]) -> None:
    """The lowest bits hold A1111's text, or NovelAI's chunks as one JSON object."""
    text = stealth_text(image)
    if not text:
        return
    chunks = json_object(text)
    if chunks is None or not all(isinstance(value, str) for value in chunks.values()):
        named["parameters"] = text
        return
    for name, value in chunks.items():
        named.setdefault(name, value)


def _iptc(image: Image.Image) -> dict[str, str]:
    try:
        found = IptcImagePlugin.getiptcinfo(image) or {}  # pyright: ignore[reportArgumentType]
    except Exception:  # readers of a damaged block raise anything
        return {}
    texts = {}
    for key, name in _IPTC.items():
        value = found.get(key)
        if isinstance(value, bytes):
            texts[name] = value.decode("utf-8", "replace").strip()
    return texts


def _xmp(packet: object) -> dict[str, str]:
    """The first text of the elements that tools use; the packet is searched, never expanded."""
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else packet
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        return {}
    found = {}
    for element, name in _XMP_TEXTS.items():
        start = text.find(f"<{element}")
        end = text.find(f"</{element}>", start)
        if 0 <= start < end:
            inside = text[text.find(">", start) + 1 : end]
            found[name] = unescape(re.sub(r"<[^<>]*>", "", inside)).strip()
    return found


def _png_names(path: Path | None) -> list[str]:
    """The names of a PNG's texts, read chunk by chunk without their contents."""
    names: list[str] = []
    if path is None:
        return names
    try:
        with path.open("rb") as file:
            if file.read(len(_PNG_START)) != _PNG_START:
                return []
            for _ in range(MAX_CHUNKS):
                head = file.read(8)
                if len(head) < 8:
                    break
                length, kind = struct.unpack(">I4s", head)
                if kind in _PNG_TEXTS:
                    name = file.read(min(length, 80)).partition(b"\0")[0]
                    names.append(name.decode("latin-1"))
                    file.seek(length - min(length, 80) + 4, 1)
                else:
                    file.seek(length + 4, 1)
    except OSError:
        return []
    return names[:MAX_TEXTS]


def peeked(path: Path, name: str) -> tuple[str, tuple[int, int]] | None:
    """A plain ``iTXt`` text of a PNG that stands before its pixels, and the picture's size.

    ``None`` where there is none, or it is not plain; nothing is decoded, and no other text is read.
    """
    head = name.encode("latin-1") + b"\0\0\0\0\0"  # not compressed, no language, no translation
    size = (0, 0)
    try:
        with open_regular(path, MAX_FILE_BYTES) as file:
            if file.read(len(_PNG_START)) != _PNG_START:
                return None
            for _ in range(MAX_TEXTS):
                start = file.read(8)
                if len(start) < 8:
                    return None
                length, kind = struct.unpack(">I4s", start)
                if kind == b"IDAT":
                    return None
                if kind not in (b"IHDR", b"iTXt") or length > MAX_TEXT * 3:
                    file.seek(length + 4, 1)
                    continue
                body = file.read(length)
                file.seek(4, 1)
                if kind == b"IHDR" and length >= 8:
                    size = struct.unpack(">II", body[:8])
                elif body.startswith(head):
                    return body[len(head) :].decode("utf-8"), (size[0], size[1])
    except (OSError, UnicodeDecodeError):
        return None
    return None
