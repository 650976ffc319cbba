"""What the tests of the web UI's interface share: a server without a page, and its pictures."""

from __future__ import annotations

import base64
from typing import Any

from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from studio import images
from studio.ui.runs import Runs, Stream
from studio.ui.space import Limits
from studio.ui.webui.server import Webui

BODY = {"prompt": "a cat", "seed": 5, "steps": 3}


def client_of(engine: Stream, **more: Any) -> TestClient:
    """A client of the interface before a page that answers everything else."""

    async def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse("the page")

    page = Starlette(routes=[Route("/{rest:path}", answer)])
    app = Webui(page, Runs(engine, Limits()), **more)
    return TestClient(app, raise_server_exceptions=False)


def as_base64(image: Image.Image) -> str:
    """A picture as clients send it."""
    return base64.b64encode(images.png_bytes(image)).decode()
