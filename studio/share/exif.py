"""The texts of an image's EXIF block, whatever their encoding and wherever they stand.

EXIF 2.32, Sec. 4.6.5, gives a comment eight bytes that name its character code and then the text;
tools write UTF-16 of either order there, with or without a mark, UTF-8 under ``ASCII`` or without
a name, in the EXIF part or in the first one.
"""

from __future__ import annotations

import warnings

from PIL import Image

# Said about a damaged block, whose texts are simply not there; on the way to nobody who could act.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin")

EXIF_IFD, USER_COMMENT = 0x8769, 0x9286
UNICODE_PREFIX = b"UNICODE\0"
_PREFIXES = (b"ASCII\0\0\0", b"\0\0\0\0\0\0\0\0", b"JIS\0\0\0\0\0")
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
NAMES = {
    USER_COMMENT: "UserComment",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x927C: "MakerNote",
    0x9C9C: "XPComment",
}
_ALWAYS_LITTLE = {0x9C9C}  # Windows' own comment: UTF-16LE without any name


def exif_texts(image: Image.Image) -> dict[str, str]:
    """Texts by the names of their tags; of two of one name, the EXIF part's own is taken.

    A damaged block holds no texts.
    """
    found: dict[str, str] = {}
    try:
        exif = image.getexif()
        parts = [exif, exif.get_ifd(EXIF_IFD)]
        for part in parts:
            for tag, name in NAMES.items():
                text = decode(part.get(tag), tag in _ALWAYS_LITTLE)
                if text:
                    found[name] = text
    except Exception:  # readers of a damaged block raise anything
        return found
    return found


def decode(raw: object, little: bool = False) -> str:
    """A comment's text; "" for what is none.

    Args:
        raw: bytes as they stand in the block, or text that the decoder has made of them.
        little: UTF-16 with the lower byte first, without a name before it.
    """
    if isinstance(raw, tuple) and all(isinstance(one, int) and 0 <= one < 256 for one in raw):
        raw = bytes(raw)
    if isinstance(raw, str):
        raw = _bytes_of(raw)
        if isinstance(raw, str):
            return _ended(raw)
    if not isinstance(raw, bytes):
        return ""
    if little:
        return _ended(raw.decode("utf-16-le", "replace"))
    if raw.startswith(UNICODE_PREFIX):
        return _ended(_unicode(raw[len(UNICODE_PREFIX) :]))
    for prefix in _PREFIXES:
        raw = raw.removeprefix(prefix)
    return _ended(_unnamed(raw))


def _bytes_of(text: str) -> bytes | str:
    """The bytes of a text that was read as Latin-1; itself where it holds other letters."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text


def _unicode(raw: bytes) -> str:
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            return raw.decode(codec, "replace")
    if b"\0" not in raw and _is_utf8(raw):
        return raw.decode("utf-8")  # not one letter below U+0100 in either order: it is UTF-8
    # Latin letters, digits and blanks have a zero for their upper byte, whatever else there is.
    upper, lower = raw[0::2].count(0), raw[1::2].count(0)
    return raw.decode("utf-16-be" if upper >= lower else "utf-16-le", "replace")


def _unnamed(raw: bytes) -> str:
    for mark, codec in _MARKS:
        if raw.startswith(mark):
            return raw.decode(codec, "replace")
    head = raw[:256].rstrip(b"\0")  # fields are filled up with zeros
    if head.count(0) > len(head) // 4:
        return _unicode(raw)
    return raw.decode("utf-8" if _is_utf8(raw) else "latin-1")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _ended(text: str) -> str:
    """Without the zeros that end or fill a field."""
    return text.strip("\0\ufeff").strip()
