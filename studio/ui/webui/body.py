"""A request's body: taken up to a bound, and read as JSON that everything behind it can hold."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any

from starlette.requests import Request

from studio.errors import StudioError, shorten

MOST_BYTES = 64 * 2**20  # of a request, as of the page's
MOST_VALUES = 100_000  # in it, by its brackets and commas: reading them holds up everybody
_HALF = re.compile(
    r"\\u[dD][89abAB]"
)  # as a half of a letter is written; only then it is looked for


async def received(request: Request) -> bytes:
    """A request's bytes.

    Raises:
        StudioError: more than may be sent.
    """
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > MOST_BYTES:
            raise StudioError(f"more than {MOST_BYTES} bytes", field="body")
    return bytes(data)


def read(data: bytes) -> dict[str, Any]:
    """The JSON object in it; an empty one for none.

    Raises:
        StudioError: no object, too many values, a number that is none, or halves of letters.
    """
    if not data.strip():
        return {}
    if sum(map(data.count, (b"[", b"{", b","))) > MOST_VALUES:
        raise StudioError(f"more than {MOST_VALUES} values", field="body")
    try:
        text = data.decode("utf-8-sig")
        found = json.loads(text, parse_constant=_refused, parse_float=_finite)
        if _HALF.search(text):
            json.dumps(found, ensure_ascii=False).encode()
    except StudioError:
        raise
    except UnicodeEncodeError as error:
        raise StudioError(
            "holds half of a letter (\\ud800 to \\udfff alone)", field="body"
        ) from error
    except (ValueError, RecursionError) as error:
        raise StudioError("is no JSON", field="body") from error
    if not isinstance(found, dict):
        raise StudioError(f"expected an object, got {shorten(found)}", field="body")
    return found


def _refused(name: str) -> Any:
    raise StudioError(f"{name} is no number", field="body")


def _finite(text: str) -> float:
    value = float(text)
    return value if isfinite(value) else _refused(text[:40])
