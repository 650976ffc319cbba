"""A script that runs before Gradio's own: a page's ``head`` comes after them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

PLACE = b"<head>"


class Ahead:
    """ASGI middleware that puts a script first into the head of every document."""

    def __init__(self, app: Callable[..., Awaitable[None]], script: str) -> None:
        self.app = app
        self.script = PLACE + f"<script>{script}</script>".encode()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Hand on; a document is held until it is whole."""
        if scope["type"] != "http" or scope.get("method") != "GET":
            await self.app(scope, receive, send)
            return
        begun: MutableMapping[str, Any] = {}
        held: list[bytes] = []

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and is_document(message):
                begun.update(message)
            elif begun and message["type"] == "http.response.body":
                held.append(message.get("body", b""))
                if not message.get("more_body"):
                    body = b"".join(held).replace(PLACE, self.script, 1)
                    await send({**begun, "headers": _sized(begun["headers"], len(body))})
                    await send({"type": "http.response.body", "body": body})
            else:
                await send(message)

        await self.app(scope, receive, sent)


def is_document(start: MutableMapping[str, Any]) -> bool:
    """Whether an answer, as it begins, is HTML that is not packed."""
    given = {name.lower(): value for name, value in start.get("headers", ())}
    kind = given.get(b"content-type", b"")
    return kind.startswith(b"text/html") and b"content-encoding" not in given


def _sized(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    others = [pair for pair in headers if pair[0].lower() != b"content-length"]
    return [*others, (b"content-length", str(length).encode())]
