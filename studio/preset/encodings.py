"""Lists of a person's own as text: UTF-8, UTF-16 where its mark says so, or Windows-1252."""

from __future__ import annotations

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def decoded(data: bytes) -> tuple[str, bool]:
    """The text, and whether it was taken for Windows-1252."""
    if data[:2] in _UTF16:
        return data.decode("utf-16", "replace"), False
    try:
        return data.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
    # One damaged byte among letters that are UTF-8 says nothing of the others.
    foreign = text.replace("\ufffd", "").isascii()
    return (data.decode("cp1252", "replace"), True) if foreign else (text, False)
