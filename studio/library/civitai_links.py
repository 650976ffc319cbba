"""What a link or an AIR of civitai.com names: a model, a version of it, a file."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from studio.errors import StudioError, shorten

_SITE = re.compile(r"(?:https?://)?(?:www\.)?civitai\.(?:com|green|red)(?=/)", re.IGNORECASE)
_AIR = re.compile(r"(?:urn:air:[^:\s]+:[^:\s]+:)?civitai:(\d{1,12})(?:@(\d{1,12}))?", re.IGNORECASE)
_PAGE = re.compile(r"/models/(\d{1,12})(?:/[^/]*)?/?")
_FILE = re.compile(r"/api/download/models/(\d{1,12})/?")


def is_link(text: str) -> bool:
    """Whether ``text`` means a model of civitai.com: a link, or an AIR."""
    return bool(_SITE.match(text) or _AIR.fullmatch(text))


def meant(link: str) -> tuple[str, str, dict[str, str]]:
    """The number of the model, that of the version and what a link to a file says of it; "" for none.

    Raises:
        StudioError: it is no model's.
    """
    if air := _AIR.fullmatch(link):
        return air[1], air[2] or "", {}
    parts = urlsplit(_SITE.sub("", link))
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    if file := _FILE.fullmatch(parts.path):
        return "", file[1], {key: query[key] for key in ("size", "fp") if key in query}
    page, version = _PAGE.fullmatch(parts.path), query.get("modelVersionId", "")
    if page is None or not re.fullmatch(r"\d{0,12}", version):
        raise StudioError(
            f"{shorten(link)} is no model's link; it looks like civitai.com/models/827184",
            field="model",
        )
    return page[1], version, {}
