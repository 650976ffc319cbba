"""Small files beside the page, under whatever path a proxy has put it: its manifest, its messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Files:
    """Files that are made when they are asked for. ``read``: the type and the content of one of
    ``names``; ``lasting``: their addresses change with what is in them, so that browsers keep them."""

    names: frozenset[str]
    read: Callable[[str], tuple[str, bytes]]
    lasting: bool = False


class Beside:
    """ASGI middleware that answers for such files."""

    def __init__(self, app: Callable[..., Awaitable[None]], files: Sequence[Files]) -> None:
        self.app = app
        self.files = {name: one for one in files for name in one.names}

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer, or hand on."""
        name = str(scope.get("path", "")).rpartition("/")[2]
        asked = scope["type"] == "http" and scope.get("method") in ("GET", "HEAD")
        if not asked or name not in self.files:
            await self.app(scope, receive, send)
            return
        found = self.files[name]
        kind, body = found.read(name)
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        if found.lasting:
            headers.append((b"cache-control", b"public, max-age=31536000, immutable"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sent = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": sent})
