"""The gate before the page: who may ask, from which page, how often; and the rules that browsers get.

In local mode only requests under a name that the server was started for are answered, so that a
page elsewhere whose name is made to point at this machine (DNS rebinding) is not, and no request
that another page sends is taken. A shared page answers under any name, and counts instead.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from studio.ui.visitors import VISITORS, Visitors

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEALTH = "/healthz"
UNSTATED = 64 * 2**20  # as much as Gradio takes of one file
LOCAL = ("127.0.0.1", "localhost", "::1")
# Where a Space's page may stand in a frame, and what Hugging Face's own script there talks to.
_SPACE_FRAMES = "https://huggingface.co https://*.huggingface.co https://*.hf.space"


def policy(shared: bool) -> str:
    """The Content-Security-Policy: everything from here, nothing from elsewhere.

    Gradio writes scripts into its page and makes functions of its components' code, so that
    ``'unsafe-inline'`` and ``'unsafe-eval'`` cannot be left out.
    """
    frames = _SPACE_FRAMES if shared else ""
    return "; ".join(
        " ".join(part.split())
        for part in (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' data: blob: {frames}",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {frames or chr(39) + 'none' + chr(39)}",
        )
    )


@dataclass(frozen=True)
class Doors:
    """Under which names the page is served.

    ``names``: those of local mode, lower case; ``wide``: bound to every address of the machine, so
    that any number address is one of its own; ``proxies``: names that a proxy before it is called
    by, whose pages may send requests too; ``shared``: any name at all.
    """

    names: frozenset[str] = frozenset(LOCAL)
    wide: bool = False
    proxies: frozenset[str] = field(default_factory=frozenset)
    shared: bool = False

    @staticmethod
    def of(host: str = "", allowed: Iterable[str] = (), shared: bool = False) -> Doors:
        """For a server bound to ``host``, with the further names of ``--allow-host``."""
        own = {host.lower().strip("[]")} - {""}
        more = frozenset(name.lower().strip("[]") for name in allowed if name)
        wide = bool(own & {"0.0.0.0", "::"})
        return Doors(frozenset(LOCAL) | own | more, wide, more, shared)

    def opens_to(self, host: str) -> bool:
        """Whether a request with this ``Host`` is meant for this server."""
        name = _name(host)
        return self.shared or name in self.names or (self.wide and _is_number(name))

    def takes(self, origin: str, host: str) -> bool:
        """Whether a page of this ``Origin`` may send requests: its own, or a proxy's."""
        if self.shared or not origin:
            return True
        try:
            there = urlsplit(origin)
            name = (there.hostname or "").lower()
        except ValueError:
            return False
        return there.netloc.lower() == host.lower() != "" or name in self.proxies


def _name(host: str) -> str:
    """The name in a ``Host`` header, without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Gate:
    """ASGI middleware around Gradio's application."""

    def __init__(self, app: Any, doors: Doors, visitors: Visitors = VISITORS) -> None:
        self.app, self.doors, self.visitors = app, doors, visitors
        self.headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
            (b"content-security-policy", policy(doors.shared).encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or hand on with the headers that browsers need."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        if scope.get("path") == HEALTH:
            await _answer(send, 200, {"status": "ok"})
            return
        refusal = self._refusal(scope, given)
        if refusal is not None:
            await _answer(send, *refusal)
            return

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._missing(message)]
            await send(message)

        with self.visitors.listens(_session(scope) if self.doors.shared else ""):
            await self.app(scope, receive, answered)

    def _missing(self, message: Message) -> list[tuple[bytes, bytes]]:
        there: Collection[bytes] = {name.lower() for name, _ in message.get("headers", ())}
        return [(name, value) for name, value in self.headers if name not in there]

    def _refusal(self, scope: Scope, given: dict[str, str]) -> tuple[int, dict[str, str]] | None:
        host, origin = given.get("host", ""), given.get("origin", "")
        if not self.doors.opens_to(host):
            name = _name(host)[:100]
            return 403, {
                "detail": f"this studio is not served as {name!r}; "
                f"start it with --allow-host {name} if it is meant to be"
            }
        if not self.doors.takes(origin, host):
            return 403, {
                "detail": f"a page of {origin[:100]!r} may not use this studio; "
                "start it with --allow-host and that name if it is meant to"
            }
        address = self.visitors.address(scope.get("client"), given.get("x-forwarded-for", ""))
        posts = scope.get("method") not in ("GET", "HEAD", "OPTIONS")
        if self.doors.shared and posts and not self.visitors.admits(address):
            return 429, {"detail": "too many requests; wait a moment"}
        if self.doors.shared and posts and not self.visitors.takes(address, _size(given)):
            return 413, {"detail": "more than one visitor may send; wait, or send less"}
        return None


def _size(given: dict[str, str]) -> int:
    """The bytes that a request says it sends; what does not say counts as much as may be sent."""
    stated = given.get("content-length", "")
    if stated.isdecimal() and len(stated) < 16:
        return int(stated)
    return UNSTATED if "transfer-encoding" in given else 0


def _session(scope: Scope) -> str:
    """The session that a request listens for: its query's, or the event that its path ends in."""
    path = scope.get("path", "")
    if path.endswith("/queue/data"):
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        return query.get("session_hash", [""])[0]
    if "/call/" in path and scope.get("method") == "GET":
        return path.rpartition("/")[2]
    return ""


async def _answer(send: Send, status: int, body: dict[str, str]) -> None:
    data = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(data)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
