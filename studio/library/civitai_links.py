"""What a link, an AIR or a hash names on civitai.com: a model, a version of it, a file."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from studio.errors import StudioError, shorten

SITE = r"(?:www\.)?civitai\.(?:com|green|red)"
ABOUT = ("type", "format", "size", "fp")  # what tells the files of a version apart
_SITE = re.compile(rf"(?:https?://)?{SITE}(?::(?:80|443))?(?=[/?#]|$)", re.IGNORECASE)
# A layer lies within the file; the format tells files apart.
_AIR = re.compile(
    r"(?:urn:)?(?:air:)?(?:[^:\s]+:[^:\s]+:)?civitai:([0-9]{1,12})(?:@([0-9]{1,12}))?"
    r"(?::[\w-]+)?(?:\.([a-z]+))?",
    re.IGNORECASE | re.ASCII,
)
_PAGE = re.compile(r"/models/([0-9]{1,12})(?:/[^/]*)?/?")
_FILE = re.compile(r"/api/download/models/([0-9]{1,12})/?")


def is_hash_there(text: str) -> bool:
    """Whether ``text`` can be a hash of a file as that site knows it: AutoV1's or CRC32's 8 hexadecimal
    digits, AutoV2's 10, AutoV3's 12, the 64 of SHA-256 or BLAKE3."""
    return (
        re.fullmatch(r"[0-9a-f]{8}|[0-9a-f]{10}|[0-9a-f]{12}|[0-9a-f]{64}", text.lower())
        is not None
    )


def is_link(text: str) -> bool:
    """Whether ``text`` means a model of civitai.com: a link, or an AIR."""
    return bool(_SITE.match(text) or _AIR.fullmatch(text))


def link_of(version: str) -> str:
    """A link to the file of a version, by its number."""
    return f"civitai.com/api/download/models/{version}"


def version_of(text: str) -> str:
    """The number of the version that a link or an AIR names; "" where it names none, or is neither."""
    try:
        return meant(text)[1] if is_link(text) else ""
    except StudioError:
        return ""


def meant(link: str) -> tuple[str, str, dict[str, str]]:
    """The number of the model, that of the version and what the link says of a file (``type``,
    ``format``, ``size``, ``fp``); "" for none.

    Raises:
        StudioError: it is no model's.
    """
    if air := _AIR.fullmatch(link):
        return air[1], air[2] or "", {"format": air[3]} if air[3] else {}
    refused = StudioError(
        f"{shorten(link)} is no model's link; it looks like civitai.com/models/827184",
        field="model",
    )
    try:
        parts = urlsplit(_SITE.sub("", link, count=1))
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    except ValueError as error:  # brackets that are no address
        raise refused from error
    if file := _FILE.fullmatch(parts.path):
        return "", file[1], {key: query[key] for key in ABOUT if key in query}
    page, version = _PAGE.fullmatch(parts.path), query.get("modelVersionId", "")
    if page is None or not re.fullmatch(r"[0-9]{0,12}", version):
        raise refused
    return page[1], version, {}
