"""A preset as a short text for a link: deflate, then base64url without padding."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from urllib.parse import parse_qs, urlsplit

from studio.errors import BadPreset
from studio.preset import Preset, parse
from studio.share.embed import check_embedded, drop_images

MAX_LINK_CHARACTERS = 64 * 2**10
MAX_UNPACKED_BYTES = 2**20
MAX_LINK_PIXELS = 16_000_000  # the studio's own links hold no pictures at all
RAW_DEFLATE = -15


def encode_link(preset: Preset) -> tuple[str, list[str]]:
    """The text for ``?p=…``, and notes on what a link cannot carry (images)."""
    without, notes = drop_images(preset)
    return pack(without), notes


def decode_link(text: str) -> Preset:
    """The preset in a link's text, or in a whole address with ``p=`` in its query.

    Raises:
        BadPreset: too long, damaged, not a valid preset, or one with too large pictures inside.
    """
    if len(text) > MAX_LINK_CHARACTERS:
        raise BadPreset(f"longer than {MAX_LINK_CHARACTERS} characters", field="link")
    preset = unpack(code_in(text), source="link")
    check_embedded(preset, MAX_LINK_PIXELS)
    return preset


def code_in(text: str) -> str:
    """The text of ``p=`` in a whole address, or the text itself where it is none.

    Raises:
        BadPreset: an address without one.
    """
    text = text.strip()
    if "?" not in text:
        return text
    try:
        found = parse_qs(urlsplit(text).query).get("p", [])
    except ValueError:
        found = []
    if not found:
        raise BadPreset("carries no preset (?p=…)", field="link")
    return found[0]


def pack(preset: Preset) -> str:
    """The preset in the alphabet ``A-Z a-z 0-9 - _``."""
    compact = json.dumps(json.loads(preset.to_json()), separators=(",", ":"), ensure_ascii=False)
    deflate = zlib.compressobj(9, zlib.DEFLATED, RAW_DEFLATE)
    packed = deflate.compress(compact.encode()) + deflate.flush()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def unpack(text: str, source: str, limit: int = MAX_UNPACKED_BYTES) -> Preset:
    """The inverse of :func:`pack`, of at most ``limit`` bytes once unpacked."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        inflate = zlib.decompressobj(RAW_DEFLATE)
        data = inflate.decompress(packed, limit)
    except (binascii.Error, zlib.error, ValueError) as error:  # ValueError: no ASCII
        raise BadPreset("is damaged: not a preset's link", field=source) from error
    if not inflate.eof:
        too_long = bool(inflate.unconsumed_tail)
        raise BadPreset(
            f"unpacks to more than {limit} bytes" if too_long else "is cut off", field=source
        )
    try:
        return parse(data.decode("utf-8"), source=source)
    except UnicodeDecodeError as error:
        raise BadPreset("is damaged: not UTF-8 text", field=source) from error
