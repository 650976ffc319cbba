"""What civitai.com answers: its JSON, and in one line why it gives nothing."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from studio.errors import MissingModel, StudioError, shorten
from studio.library.civitai_links import SITE

# Until the site answers, and between two pieces of what it sends.
ANSWER_SECONDS, PIECE_SECONDS = 10.0, 30.0
MOST_JSON_BYTES = (
    4 * 2**20
)  # of what it says of a model; a few hundred kB where there are many files
TOKEN = "CIVITAI_TOKEN"


def client() -> Any:
    """An ``httpx.Client`` that says who asks; it leaves that out where the site sends it elsewhere.

    Raises:
        StudioError: the key holds what no key has.
    """
    import httpx

    timeout = httpx.Timeout(ANSWER_SECONDS, read=PIECE_SECONDS)
    return httpx.Client(follow_redirects=True, timeout=timeout, headers=_signed())


def asked(name: str, address: str) -> dict[str, Any]:
    """What the site says in JSON at ``address`` of the model ``name``.

    Raises:
        MissingModel: it gives nothing.
        httpx.HTTPError: it cannot be reached.
        ValueError: it answers something else than an object, or more than ``MOST_JSON_BYTES``.
    """
    body = bytearray()
    with client() as asking, asking.stream("GET", address) as answer:
        refuse(name, answer, address)
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > MOST_JSON_BYTES:
                raise ValueError("too long")
    found = json.loads(bytes(body))
    if not isinstance(found, dict):
        raise ValueError("no object")  # noqa: TRY004 - the answer is at fault
    return found


def refuse(name: str, answer: Any, asked_at: str) -> None:
    """Raise where an answer brings nothing.

    Args:
        answer: of httpx, to which the site's own redirects have led.
        asked_at: the address that was asked first, which is the site's.

    Raises:
        MissingModel: there is no such model, the site is busy or asks who wants it; says which.
    """
    status, host = answer.status_code, answer.url.host
    if status == 429 or status >= 500:
        raise missing(name, "cannot be fetched: civitai.com is busy; try again later")
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    if _is_site(answer, asked_at):
        if status == 404:
            raise missing(name, "is not on civitai.com")
        # Without a key some files lead to the page that one signs in on.
        if status in (401, 403) or (status == 200 and is_page):
            raise missing(name, _who_asks())
    if not answer.is_success:
        raise missing(name, f"cannot be fetched: {host} answered {status}")
    if is_page:
        raise missing(name, f"cannot be fetched: {host} answered with a page, not with a file")


def missing(name: str, why: str) -> MissingModel:
    """Why the model ``name`` cannot be had, to be raised."""
    return MissingModel(f"{shorten(name)} {why}", field="model")


def _is_site(answer: Any, asked_at: str) -> bool:
    import httpx

    own = httpx.URL(asked_at).netloc == answer.url.netloc
    return own or re.fullmatch(SITE, answer.url.host, re.IGNORECASE) is not None


def _who_asks() -> str:
    if _key():
        return (
            "is not given for the key in CIVITAI_TOKEN: civitai.com does not take this key, "
            "or the model has to be bought first (early access)"
        )
    return "asks for an account: make a key on civitai.com and set CIVITAI_TOKEN to it"


def _key() -> str:
    return os.environ.get(TOKEN, "").strip()


def _signed() -> dict[str, str]:
    key = _key()
    if not re.fullmatch(r"[!-~]*", key):
        raise StudioError(
            "holds characters that no key has; copy the key from civitai.com again", field=TOKEN
        )
    return {"Authorization": f"Bearer {key}"} if key else {}
